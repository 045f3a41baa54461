/**
 * When jobs run. Pure: times in, times and texts out; nothing here reads a clock, a file or the environment.
 * Guarantees: a cron expression means the same to the daemon and in what is exported (crontab, systemd timer,
 * Kubernetes CronJob); where a format cannot say it, or not exactly, the export refuses and names another way.
 */

/** `manual` jobs have none. */
export type Schedule = CronSchedule | IntervalSchedule;

export interface CronSchedule {
  readonly kind: 'cron';
  /** Five fields as crontab(5) has them, checked; macros written out, names as numbers. */
  readonly expression: string;
  /** IANA name; undefined = the machine's. */
  readonly timezone?: string;
}

/**
 * Not counted from the last run, so that restarts and failures move nothing and all machines agree. What divides an
 * hour or a day evenly is counted from midnight, whole days from 1970-01-01, both in the timezone; anything else in
 * elapsed time since 1970-01-01 00:00 UTC.
 */
export interface IntervalSchedule {
  readonly kind: 'interval';
  readonly everyMs: number;
  /** As written: `6h`. */
  readonly every: string;
  readonly timezone?: string;
}

/** A job as far as its schedule goes. */
export interface ScheduledJob {
  readonly name: string;
  readonly description?: string;
  readonly schedule: Schedule;
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** The interval as a cron expression, where one line can say it; undefined otherwise. */
export function cronOf(schedule: Schedule): string | undefined {
  if (schedule.kind === 'cron') return schedule.expression;
  const { everyMs } = schedule;
  if (everyMs === minuteMs) return '* * * * *';
  if (everyMs === hourMs) return '0 * * * *';
  if (everyMs === dayMs) return '0 0 * * *';
  if (everyMs % minuteMs === 0 && everyMs < hourMs && hourMs % everyMs === 0) return `*/${everyMs / minuteMs} * * * *`;
  if (everyMs % hourMs === 0 && everyMs < dayMs && dayMs % everyMs === 0) return `0 */${everyMs / hourMs} * * *`;
  return undefined;
}

/** `0 3 * * * (Europe/Zurich)`, `every 6h`. */
export function describeSchedule(schedule: Schedule | undefined): string {
  if (schedule === undefined) return 'manual';
  const { timezone } = schedule;
  const when = schedule.kind === 'cron' ? schedule.expression : `every ${schedule.every}`;
  return timezone === undefined ? when : `${when} (${timezone})`;
}
