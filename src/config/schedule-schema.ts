import { z } from 'zod';
import { CronError, everFires, formatCron, parseCron } from '../schedule/cron-fields.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { isTimezone } from '../schedule/timezone.ts';
import { parseDuration } from '../value/duration.ts';

const timezone = z.string().check(({ value, issues }) => {
  if (isTimezone(value)) return;
  const message = 'is no timezone; name one of the IANA database, such as Europe/Zurich or UTC';
  const expected = Intl.supportedValuesOf('timeZone');
  issues.push({ code: 'custom', input: value, message, params: { expected } });
});

const cron = z.string().transform((value, { issues }) => {
  try {
    const fields = parseCron(value);
    if (everFires(fields)) return formatCron(fields);
    issues.push({ code: 'custom', input: value, message: 'never fires: no month has that day' });
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    issues.push({ code: 'custom', input: value, message: error.message });
  }
  return z.NEVER;
});

const everyRule = 'must be a duration with a unit, in whole seconds, such as 15m, 6h or 2d';
const every = z.string(everyRule).refine((text) => {
  const ms = parseDuration(text);
  return ms !== undefined && ms > 0 && ms % 1000 === 0;
}, everyRule);

/** Within it, or a run would be due before the last one could be recorded. */
const longest = 366 * 24 * 60 * 60 * 1000;

const when = z
  .strictObject({
    cron: cron.optional().describe('Five fields as in crontab(5), or @daily, @hourly …'),
    every: every
      .refine((text) => (parseDuration(text) ?? 0) <= longest, 'must not be longer than a year (366d)')
      .optional()
      .describe('An interval such as 15m, 6h, 2d'),
    timezone: timezone.optional().describe('IANA name; without it the timezone of the machine'),
  })
  .refine(({ cron: a, every: b }) => (a === undefined) !== (b === undefined), {
    error: 'needs either cron or every (or write "manual" in place of the map)',
    // Beside a misspelt key this would be noise.
    when: ({ issues }) => issues.length === 0,
  })
  .transform(({ cron: expression, every: text = '', timezone: zone }): Schedule => {
    if (expression !== undefined) return { kind: 'cron', expression, timezone: zone };
    return { kind: 'interval', every: text, everyMs: parseDuration(text) ?? 0, timezone: zone };
  });

/** `manual`, `{ cron, timezone }` or `{ every, timezone }`. Parsed: undefined for manual. */
export const scheduleSchema = z.union([z.literal('manual').transform(() => undefined), when]);
