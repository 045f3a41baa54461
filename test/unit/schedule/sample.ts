import { formatCron, parseCron } from '../../../src/schedule/cron-fields.ts';
import type { CronSchedule, IntervalSchedule } from '../../../src/schedule/schedule.ts';

/** As the config gives it. */
export function cron(expression: string, timezone?: string): CronSchedule {
  return { kind: 'cron', expression: formatCron(parseCron(expression)), timezone };
}

export function interval(every: string, hours: number, timezone?: string): IntervalSchedule {
  return { kind: 'interval', every, everyMs: hours * 3_600_000, timezone };
}
