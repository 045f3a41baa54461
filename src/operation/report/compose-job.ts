/** Pure: what the history and the destinations tell of a job, joined, and judged. */
import { usualIntervalMs } from '../../retention/forecast.ts';
import { nextRun } from '../../schedule/next-run.ts';
import { describeSchedule, type Schedule } from '../../schedule/schedule.ts';
import { isSuspect, type StoredBackup } from '../storage/stored-backup.ts';
import type { Copies } from './read-copies.ts';
import type { JobRecord } from './read-runs.ts';
import type { CopyReport, Counts, JobReport, JobState, LastGood, Run, ScheduleReport } from './report.ts';

export interface JobFindings {
  readonly name: string;
  readonly description?: string;
  readonly source?: JobReport['source'];
  readonly disabled: boolean;
  readonly schedule?: Schedule;
  readonly record: JobRecord;
  readonly earlier?: Earlier;
  /** Undefined: nobody was to look. */
  readonly copies?: readonly Copies[];
}

/** From before the time of the report. */
export interface Earlier {
  readonly lastRun?: Run;
  readonly lastGood?: Run;
}

interface Concern {
  readonly state: 'failing' | 'warning';
  readonly text: string;
}

export function composeJob(found: JobFindings, since: Date, now: Date): JobReport {
  const { name, description, source, disabled, record } = found;
  const runs = joinRuns(record.runs, found.copies ?? [], since);
  const lastRun = runs.at(-1) ?? found.earlier?.lastRun;
  const lastGood = lastGoodOf(found, now);
  const schedule = found.schedule && scheduleOf(found.schedule, disabled, lastRun, now);
  const concerns = concernsOf({ ...found, schedule, runs, lastRun, lastGood }, now);
  return {
    ...{ name, description, source, disabled, schedule },
    state: stateOf(concerns, lastRun, found.copies ?? []),
    concerns: concerns.map(({ text }) => text),
    runs,
    counts: countsOf(runs),
    lastRun,
    lastGood,
    copies: (found.copies ?? []).map(({ backups: _, ...copy }): CopyReport => copy),
    failures: record.failures,
    failureCount: record.failureCount,
  };
}

/** Backups that only their sidecars tell of: other machines run the job too, and a container forgets its history. */
function joinRuns(recorded: readonly Run[], copies: readonly Copies[], since: Date): readonly Run[] {
  const known = new Set(recorded.map(({ backupId }) => backupId));
  const found: Run[] = [];
  for (const backup of copies.flatMap(({ backups }) => backups)) {
    const run = runFromSidecar(backup);
    if (run === undefined || known.has(run.backupId) || run.startedAt < since) continue;
    known.add(run.backupId);
    found.push(run);
  }
  return [...recorded, ...found].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
}

function runFromSidecar(backup: StoredBackup): Run | undefined {
  const { sidecar, condition } = backup;
  if (sidecar === undefined || condition !== 'complete') return undefined;
  const { id, startedAt, trigger, durationMs, artifact } = sidecar;
  const verdict = isSuspect(backup)
    ? ({ status: 'suspect', outcome: 'warned' } as const)
    : ({ status: 'completed', outcome: 'good' } as const);
  const { rawBytes, storedBytes } = artifact;
  return { backupId: id, startedAt: new Date(startedAt), trigger, ...verdict, durationMs, rawBytes, storedBytes };
}

function countsOf(runs: readonly Run[]): Counts {
  const count = (test: (run: Run) => boolean) => runs.filter(test).length;
  return {
    total: runs.length,
    good: count(({ outcome }) => outcome === 'good'),
    partial: count(({ status }) => status === 'partial'),
    suspect: count(({ status }) => status === 'suspect'),
    cancelled: count(({ status }) => status === 'cancelled'),
    failed: count(({ outcome }) => outcome === 'failed'),
    running: count(({ outcome }) => outcome === 'running'),
    fromSidecars: count(({ executionId }) => executionId === undefined),
  };
}

/** The destinations are the truth; the history is believed only where none of them was asked. */
function lastGoodOf({ copies, record, earlier }: JobFindings, now: Date): LastGood | undefined {
  if (copies === undefined) {
    const last = record.runs.findLast(({ status }) => status === 'completed') ?? earlier?.lastGood;
    return last && fromHistory(last, now);
  }
  const good = copies.flatMap(({ destination, holdings }) =>
    holdings?.lastGood === undefined ? [] : [{ destination, ...holdings.lastGood }],
  );
  const [newest] = good.sort((a, b) => b.at.getTime() - a.at.getTime());
  if (newest === undefined) return undefined;
  const { backupId, at, rawBytes, storedBytes } = newest;
  const destinations = good.filter((each) => each.backupId === backupId).map(({ destination }) => destination);
  return { backupId, at, ageMs: now.getTime() - at.getTime(), rawBytes, storedBytes, destinations };
}

function fromHistory(run: Run, now: Date): LastGood {
  const { backupId = '', startedAt: at, rawBytes = 0, storedBytes = 0 } = run;
  return { backupId, at, ageMs: now.getTime() - at.getTime(), rawBytes, storedBytes, destinations: [] };
}

/** A run may have waited for another, or for its machine to come up. */
const graceMs = 3_600_000;

function scheduleOf(schedule: Schedule, disabled: boolean, lastRun: Run | undefined, now: Date): ScheduleReport {
  const text = describeSchedule(schedule);
  if (disabled) return { text };
  const due = lastRun && nextRun(schedule, lastRun.startedAt);
  const missed = due !== undefined && lastRun?.outcome !== 'running' && due.getTime() + graceMs <= now.getTime();
  return { text, nextRun: nextRun(schedule, now), missedAt: missed ? due : undefined };
}

interface Judged extends Omit<JobFindings, 'schedule'> {
  readonly schedule?: ScheduleReport;
  readonly runs: readonly Run[];
  readonly lastRun?: Run;
  readonly lastGood?: LastGood;
}

function concernsOf(job: Judged, now: Date): readonly Concern[] {
  const concerns = [...lastRunConcerns(job), ...copyConcerns(job), ...lateConcerns(job, now)];
  return concerns.sort((a, b) => Number(b.state === 'failing') - Number(a.state === 'failing'));
}

function lastRunConcerns({ runs, lastRun }: Judged): Concern[] {
  const ended = runs.filter(({ outcome }) => outcome !== 'running').at(-1) ?? lastRun;
  if (ended === undefined || ended.outcome === 'good' || ended.outcome === 'running') return [];
  const state = ended.outcome === 'failed' ? 'failing' : 'warning';
  const text = ended.status === 'suspect' ? 'the last backup is suspect' : `the last run was ${words[ended.status]}`;
  return [{ state, text: ended.outcome === 'failed' ? text.replace('was failed', 'failed') : text }];
}

const words: Readonly<Record<Run['status'], string>> = {
  completed: 'completed',
  partial: 'only partly successful',
  suspect: 'suspect',
  cancelled: 'cancelled',
  failed: 'failed',
  interrupted: 'interrupted',
  pending: 'queued',
  running: 'running',
};

function copyConcerns({ copies, lastRun, lastGood }: Judged): Concern[] {
  if (copies === undefined) return [];
  const unread = copies.filter(({ problem }) => problem !== undefined);
  const read = copies.filter(({ holdings }) => holdings !== undefined);
  const expected = lastRun !== undefined || read.some(({ holdings }) => (holdings?.backups ?? 0) > 0);
  const none = expected && lastGood === undefined && unread.length === 0;
  const without = read.filter(({ holdings }) => holdings?.lastGood === undefined).map(({ destination }) => destination);
  return [
    ...(none ? [{ state: 'failing' as const, text: 'there is no good backup' }] : []),
    ...(lastGood === undefined ? [] : without.map((name) => warning(`there is no good backup at ${name}`))),
    ...unread.map(({ destination }) => warning(`destination ${destination} could not be read`)),
    ...read.flatMap(({ destination, holdings }) =>
      (holdings?.damaged ?? 0) > 0 ? [warning(`${holdings?.damaged} damaged or incomplete at ${destination}`)] : [],
    ),
  ];
}

function warning(text: string): Concern {
  return { state: 'warning', text };
}

/** Fewer runs without a person tell nothing of a rhythm. */
const fewestForRhythm = 4;
/** A night that was missed, and half of the next. */
const lateAfter = 2.5;

/** What the schedule says; without one the rhythm of earlier runs, but a person's own have none. */
function lateConcerns({ runs, lastGood, disabled, schedule }: Judged, now: Date): Concern[] {
  if (schedule !== undefined) return schedule.missedAt ? [warning('a run that was due did not come')] : [];
  const regular = runs.filter(({ outcome, trigger }) => outcome === 'good' && trigger !== 'manual');
  if (disabled || lastGood === undefined || regular.length < fewestForRhythm) return [];
  const times = regular.map(({ startedAt }) => ({ key: '', startedAt, protectedBy: [], verified: false }));
  const usual = usualIntervalMs(times);
  if (now.getTime() - lastGood.at.getTime() <= usual * lateAfter) return [];
  return [warning('the newest good backup is older than its usual rhythm lets expect')];
}

function stateOf(concerns: readonly Concern[], lastRun: Run | undefined, copies: readonly Copies[]): JobState {
  const [gravest] = concerns;
  if (gravest !== undefined) return gravest.state;
  const isStored = copies.some(({ holdings }) => (holdings?.backups ?? 0) > 0);
  return lastRun === undefined && !isStored ? 'idle' : 'good';
}
