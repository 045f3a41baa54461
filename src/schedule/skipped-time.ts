import { parseCron } from './cron-fields.ts';
import { localTime } from './local-time.ts';
import { nextRun } from './next-run.ts';
import { cronOf, type Schedule } from './schedule.ts';

const withinMs = 400 * 24 * 60 * 60 * 1000;
const mostRuns = 2000;

/**
 * The first run of the next 400 days whose hour the clocks skip: cron and the daemon make up for it when the clock has
 * jumped, systemd and Kubernetes leave it out. Undefined when there is none, or when another run comes soon anyway.
 */
export function skippedTime(schedule: Schedule, from: Date): Date | undefined {
  const expression = cronOf(schedule);
  if (expression === undefined) return undefined;
  const { hour, minute } = parseCron(expression);
  if (hour.star) return undefined;
  let at: Date | undefined = from;
  for (let runs = 0; runs < mostRuns; runs += 1) {
    at = nextRun(schedule, at);
    if (at === undefined || at.getTime() - from.getTime() > withinMs) return undefined;
    const local = localTime(at, schedule.timezone);
    if (!hour.values.includes(local.hour) || !minute.values.includes(local.minute)) return at;
  }
  return undefined;
}
