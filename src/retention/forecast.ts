import { openCalendar } from './calendar.ts';
import { plan } from './plan.ts';
import type { RetentionCandidate, RetentionRules } from './retention.ts';

const dayMs = 86_400_000;
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
 * @param expectedIntervalMs between two runs; see `usualIntervalMs`
 */
export function forecast<Backup extends RetentionCandidate>(
  backups: readonly Backup[],
  rules: RetentionRules,
  now: Date,
  days: number,
  expectedIntervalMs: number,
): readonly FutureDeletion<Backup>[] {
  const calendar = openCalendar(rules.timezone);
  const real = new Map<RetentionCandidate, Backup>(backups.map((backup) => [backup, backup]));
  const deletions: FutureDeletion<Backup>[] = [];
  let stored: readonly RetentionCandidate[] = backups;
  for (const at of [now, ...runTimes(backups, now, days, expectedIntervalMs)]) {
    if (at !== now) stored = [...stored, { key: '', startedAt: at, protectedBy: [], verified: false }];
    const decisions = plan(stored, rules, at, calendar);
    const deleted = decisions.filter(({ action }) => action === 'delete').map(({ backup }) => real.get(backup));
    deletions.push(...deleted.flatMap((backup) => (backup ? [{ at, backup }] : [])).reverse());
    stored = decisions.filter(({ action }) => action === 'keep').map(({ backup }) => backup);
  }
  return deletions;
}

function runTimes(backups: readonly RetentionCandidate[], now: Date, days: number, intervalMs: number): Date[] {
  const end = now.getTime() + days * dayMs;
  const step = Math.max(intervalMs, (days * dayMs) / mostRuns);
  const last = Math.max(...goodTimes(backups).filter((time) => time <= now.getTime()), now.getTime() - step);
  const times: Date[] = [];
  for (let time = last + step; time <= end; time += step) times.push(new Date(time));
  return times;
}

function goodTimes(backups: readonly RetentionCandidate[]): number[] {
  return backups.filter((each) => each.protectedBy.length === 0).map((each) => each.startedAt.getTime());
}

/** The median gap between the newest good backups, in ms; a day where there are none. */
export function usualIntervalMs(backups: readonly RetentionCandidate[]): number {
  const times = goodTimes(backups).sort((a, b) => b - a);
  const gaps = times.slice(1, sampledGaps + 1).map((time, index) => (times[index] ?? time) - time);
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] || dayMs;
}
