import type { Job } from '../../config/config.ts';
import { paced, usualIntervalMs } from '../../retention/forecast.ts';
import { nextRun } from '../../schedule/next-run.ts';
import type { Candidate } from './candidate.ts';

/**
 * When a job will run: as its schedule says; without one, at the pace of earlier runs. Those that a person started tell
 * of no pace: two within minutes would become thousands in a month.
 */
export function comingRuns(
  { schedule }: Pick<Job, 'schedule'>,
  candidates: readonly Candidate[],
  now: Date,
): (after: Date) => Date | undefined {
  if (schedule) return (after) => nextRun(schedule, after);
  const regular = candidates.filter(({ stored }) => stored.sidecar?.trigger !== 'manual');
  return paced(candidates, now, usualIntervalMs(regular));
}
