/**
 * The times of a schedule. Where clocks change: a fixed time that is skipped comes when the clock has jumped, one that
 * is there twice comes once, at the first; times with `*` or a step come as the hours do, as with cron itself.
 */
import { Cron } from 'croner';
import { joinsDaysByOr, parseCron } from './cron-fields.ts';
import { localTime } from './local-time.ts';
import { cronOf, dayMs, type Schedule } from './schedule.ts';

/** The first run after `after`; undefined when there is none. */
export function nextRun(schedule: Schedule, after: Date): Date | undefined {
  const expression = cronOf(schedule);
  if (expression !== undefined) return nextOfCron(expression, schedule.timezone, after);
  if (schedule.kind !== 'interval') return undefined;
  const { everyMs, timezone } = schedule;
  if (everyMs % dayMs === 0) return nextWholeDay(everyMs / dayMs, timezone, after);
  return new Date((Math.floor(after.getTime() / everyMs) + 1) * everyMs);
}

export function nextRuns(schedule: Schedule, after: Date, count: number): readonly Date[] {
  const runs: Date[] = [];
  for (let at: Date | undefined = after; runs.length < count; ) {
    at = nextRun(schedule, at);
    if (at === undefined) break;
    runs.push(at);
  }
  return runs;
}

/** Parsing costs more than asking. */
const known = new Map<string, Cron>();

function nextOfCron(expression: string, timezone: string | undefined, after: Date): Date | undefined {
  const key = `${expression} ${timezone ?? ''}`;
  const cron = known.get(key) ?? open(expression, timezone);
  known.set(key, cron);
  return cron.nextRun(after) ?? undefined;
}

function open(expression: string, timezone: string | undefined): Cron {
  const fields = parseCron(expression);
  const { minute, hour, dayOfMonth, month, dayOfWeek } = fields;
  const or = joinsDaysByOr(fields);
  // Whether `1-31` restricts is decided here: it is text to cron, and a full set to the library.
  const days = (field: typeof dayOfMonth) => (field.full && !or ? '*' : field.values.join(','));
  const pattern = [minute.text, hour.text, days(dayOfMonth), month.values.join(','), days(dayOfWeek)].join(' ');
  return new Cron(pattern, {
    mode: '5-part',
    timezone,
    domAndDow: !or,
    fixedTimeRule: 'no-wildcard',
    paused: true,
  });
}

/** Midnight of every `days`th day, counted from 1970-01-01 in the timezone. */
function nextWholeDay(days: number, timezone: string | undefined, after: Date): Date | undefined {
  let at: Date | undefined = after;
  for (let tries = 0; tries <= days + 1; tries += 1) {
    at = nextOfCron('0 0 * * *', timezone, at);
    if (at === undefined) return undefined;
    const { year, month, day } = localTime(at, timezone);
    if ((Date.UTC(year, month - 1, day) / dayMs) % days === 0) return at;
  }
  return undefined;
}
