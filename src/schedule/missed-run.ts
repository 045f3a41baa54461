import { nextRun } from './next-run.ts';
import type { Schedule } from './schedule.ts';

/** What the history knows of one run. */
export interface RunBefore {
  readonly startedAt: Date;
  /** It was cut: the machine died, or the daemon was told to end. */
  readonly cut: boolean;
}

/**
 * The time at which a run was due that never came, or that was cut; undefined when there is none. Without any run before
 * nothing was missed: a machine that is new, or has lost its history, waits for its time. A run that was cut is made up
 * for once: were it the run that brings the machine down, it would do so for ever.
 * @param before newest first
 */
export function missedRun(schedule: Schedule, before: readonly RunBefore[], now: Date): Date | undefined {
  const [last, secondLast] = before;
  if (last === undefined) return undefined;
  if (last.cut && secondLast?.cut !== true) return last.startedAt;
  const due = nextRun(schedule, last.startedAt);
  return due !== undefined && due <= now ? due : undefined;
}
