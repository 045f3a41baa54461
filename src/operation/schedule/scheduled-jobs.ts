import type { Config, Job } from '../../config/config.ts';
import type { ScheduledJob } from '../../schedule/schedule.ts';

export type JobWithSchedule = Job & ScheduledJob;

/** The enabled jobs that have a schedule, in the order of the config. */
export function scheduledJobs(config: Config | undefined): readonly JobWithSchedule[] {
  return [...(config?.jobs.values() ?? [])].filter(
    (job): job is JobWithSchedule => job.enabled && job.schedule !== undefined,
  );
}
