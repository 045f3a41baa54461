import { z } from 'zod';
import type { RetentionRules } from '../retention/retention.ts';
import { duration } from '../value/duration.ts';

/** Zero would read as "keep none" and mean "no such rule": neither is guessed (F32). */
const countRule = 'must be a whole number of at least 1; leave it out to have no such rule';
const count = z.int().min(1, countRule).optional();

const nothingToKeep =
  'says nothing about what to keep: add last, hourly, daily, weekly, monthly, yearly or within; without retention everything is kept';

/** `retention` of a job, or of one of its destinations, which then holds alone. Parsed: the rules of the policy. */
export const retentionSchema = z
  .strictObject({
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    within: duration().optional(),
    minimum: count,
    timezone: z
      .string()
      .check(({ value, issues }) => {
        if (isTimezone(value)) return;
        const message = 'is no timezone; name one of the IANA database, such as Europe/Zurich or UTC';
        issues.push({
          code: 'custom',
          input: value,
          message,
          params: { expected: Intl.supportedValuesOf('timeZone') },
        });
      })
      .optional(),
  })
  .refine(({ minimum: _, timezone: __, ...rules }) => Object.values(rules).some((rule) => rule !== undefined), {
    error: nothingToKeep,
    // Beside a misspelt key this would be noise.
    when: ({ issues }) => issues.length === 0,
  })
  .transform(({ within, ...rules }): RetentionRules => ({ ...rules, withinMs: within }));

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
