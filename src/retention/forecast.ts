import { openCalendar } from './calendar.ts';
import { plan } from './plan.ts';
import type { RetentionCandidate, RetentionRules } from './retention.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** Bounds the work: a job that runs every minute is not simulated minute by minute for a year. */
const mostRuns = 10_000;
/** So many of the newest tell how often a job runs. */
const sampledGaps = 20;

export interface FutureDeletion<Backup> {
  readonly at: Date;
  readonly backup: Backup;
}

/**
 * What would be deleted now and over the next days if every run succeeded, in the order of deletion. Backups that do
 * not exist yet take part and are not told of.
 * @param nextRun the run after a time; undefined when none comes any more
 */
export function forecast<Backup extends RetentionCandidate>(
  backups: readonly Backup[],
  rules: RetentionRules,
  now: Date,
  days: number,
  nextRun: (after: Date) => Date | undefined,
): readonly FutureDeletion<Backup>[] {
  const calendar = openCalendar(rules.timezone);
  const real = new Map<RetentionCandidate, Backup>(backups.map((backup) => [backup, backup]));
  const deletions: FutureDeletion<Backup>[] = [];
  let stored: readonly RetentionCandidate[] = backups;
  for (const at of [now, ...runTimes(now, days, nextRun)]) {
    if (at !== now) stored = [...stored, { key: '', startedAt: at, protectedBy: [], verified: false }];
    const decisions = plan(stored, rules, at, calendar);
    const deleted = decisions.filter(({ action }) => action === 'delete').map(({ backup }) => real.get(backup));
    deletions.push(...deleted.flatMap((backup) => (backup ? [{ at, backup }] : [])).reverse());
    stored = decisions.filter(({ action }) => action === 'keep').map(({ backup }) => backup);
  }
  return deletions;
}

/** Where more runs come than are simulated, one stands for those that follow closely. */
function runTimes(now: Date, days: number, nextRun: (after: Date) => Date | undefined): Date[] {
  const end = now.getTime() + days * dayMs;
  const step = (days * dayMs) / mostRuns;
  const times: Date[] = [];
  for (let at = nextRun(now); at !== undefined && at.getTime() <= end; ) {
    times.push(at);
    at = nextRun(new Date(at.getTime() + Math.max(0, step - 1)));
  }
  return times;
}

/** Runs at an even pace, counted on from the newest good backup. */
export function paced(backups: readonly RetentionCandidate[], now: Date, intervalMs: number): (after: Date) => Date {
  const last = Math.max(...goodTimes(backups).filter((time) => time <= now.getTime()), now.getTime() - intervalMs);
  return (after) => new Date(last + (Math.floor((after.getTime() - last) / intervalMs) + 1) * intervalMs);
}

function goodTimes(backups: readonly RetentionCandidate[]): number[] {
  return backups.filter((each) => each.protectedBy.length === 0).map((each) => each.startedAt.getTime());
}

/** Two gaps are no rhythm yet: somebody tries it out, or made a second backup at once. */
const fewestGaps = 3;

/** The median gap between the newest good backups, in ms; of few, an hour at least; a day where there are none. */
export function usualIntervalMs(backups: readonly RetentionCandidate[]): number {
  const times = goodTimes(backups).sort((a, b) => b - a);
  const gaps = times.slice(1, sampledGaps + 1).map((time, index) => (times[index] ?? time) - time);
  gaps.sort((a, b) => a - b);
  const median = gaps[Math.floor(gaps.length / 2)] || dayMs;
  return gaps.length < fewestGaps ? Math.max(median, hourMs) : median;
}
