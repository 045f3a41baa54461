import { describe, expect, it } from 'vitest';
import type { Execution, ExecutionStatus } from '../../../../src/history/history.ts';
import { composeJob, type JobFindings } from '../../../../src/operation/report/compose-job.ts';
import type { Copies } from '../../../../src/operation/report/read-copies.ts';
import { emptyRecord, runOf } from '../../../../src/operation/report/read-runs.ts';
import type { Holdings } from '../../../../src/operation/report/report.ts';
import type { StoredBackup } from '../../../../src/operation/storage/stored-backup.ts';
import { backupNumber } from '../../../servers/many-backups.ts';

const now = new Date(Date.UTC(2026, 10, 26, 12));
const since = new Date(Date.UTC(2026, 7, 28));
const day = 86_400_000;

function execution(daysAgo: number, status: ExecutionStatus, trigger = 'schedule'): Execution {
  const startedAt = new Date(now.getTime() - daysAgo * day);
  const identity = { id: `run-${daysAgo}`, kind: 'backup', job: 'shop', trigger, host: 'db1', pid: 1 } as const;
  const figures = { rawBytes: 30, storedBytes: 10, durationMs: 1000, backupId: `backup-${daysAgo}`, retryCount: 0 };
  return { ...identity, ...figures, status, startedAt, created: startedAt, updated: startedAt, destinations: [] };
}

function holdings(daysAgo?: number, more: Partial<Holdings> = {}): Holdings {
  const at = daysAgo === undefined ? undefined : new Date(now.getTime() - daysAgo * day);
  const lastGood = at && { backupId: `backup-${daysAgo}`, key: 'k', at, rawBytes: 30, storedBytes: 10 };
  const none = { suspect: 0, locked: 0, damaged: 0, retention: { keptNow: 1, deletions: [] } };
  return { backups: at ? 1 : 0, storedBytes: 10, ...none, lastGood, ...more };
}

function copies(destination: string, found: Partial<Copies>): Copies {
  return { destination, type: 'local', backups: [], ...found };
}

function compose(executions: readonly Execution[], found?: readonly Copies[], more: Partial<JobFindings> = {}) {
  const record = { ...emptyRecord(), runs: executions.map(runOf) };
  const about = { name: 'shop', disabled: false, record };
  return composeJob({ ...about, copies: found, ...more }, since, now);
}

const nights = (count: number, newest = 0.5) =>
  Array.from({ length: count }, (_, index) => execution(newest + count - 1 - index, 'completed'));

describe('the state of a job', () => {
  it('is good where the last run and every destination are', () => {
    const found = [copies('disk', { holdings: holdings(0.5) }), copies('nas', { holdings: holdings(0.5) })];
    const job = compose(nights(30), found);
    expect(job).toMatchObject({ state: 'good', concerns: [], counts: { total: 30, good: 30 } });
    expect(job.lastGood).toMatchObject({ backupId: 'backup-0.5', destinations: ['disk', 'nas'], ageMs: 0.5 * day });
  });

  it('is failing where the last run failed, whatever lies there', () => {
    const job = compose([...nights(5, 1.5), execution(0.5, 'failed')], [copies('disk', { holdings: holdings(1.5) })]);
    expect(job).toMatchObject({ state: 'failing', concerns: ['the last run failed'] });
    expect(job.lastGood?.backupId).toBe('backup-1.5');
  });

  it('does not let a run that is under way hide the one before', () => {
    const job = compose([execution(1, 'interrupted'), execution(0, 'running')]);
    expect(job).toMatchObject({ state: 'failing', concerns: ['the last run was interrupted'] });
  });

  it('is failing where the history says good and the destinations have nothing', () => {
    const job = compose(nights(3), [copies('disk', { holdings: holdings() })]);
    expect(job).toMatchObject({ state: 'failing', concerns: ['there is no good backup'], lastGood: undefined });
  });

  it('is to be looked at where one copy is missing, damaged, or cannot be read', () => {
    const good = copies('disk', { holdings: holdings(0.5) });
    const missing = copies('nas', { holdings: holdings() });
    expect(compose(nights(3), [good, missing])).toMatchObject({
      state: 'warning',
      concerns: ['there is no good backup at nas'],
    });
    const offline = copies('nas', { problem: 'it could not be read: refused' });
    expect(compose(nights(3), [good, offline])).toMatchObject({
      state: 'warning',
      concerns: ['destination nas could not be read'],
    });
    const damaged = copies('disk', { holdings: holdings(0.5, { damaged: 2 }) });
    expect(compose(nights(3), [damaged]).concerns).toEqual(['2 damaged or incomplete at disk']);
  });

  it('does not claim that there is no backup where nobody could look', () => {
    const job = compose(nights(3), [copies('disk', { problem: 'refused' })]);
    expect(job).toMatchObject({ state: 'warning', concerns: ['destination disk could not be read'] });
  });

  it('is to be looked at where the rhythm stopped, and only of runs that nobody started by hand', () => {
    const old = [copies('disk', { holdings: holdings(4) })];
    const concern = 'the newest good backup is older than its usual rhythm lets expect';
    expect(compose(nights(10, 4), old)).toMatchObject({ state: 'warning', concerns: [concern] });
    expect(compose(nights(10, 4), old, { disabled: true }).state).toBe('good');
    const byHand = Array.from({ length: 10 }, (_, index) => execution(13 - index, 'completed', 'manual'));
    expect(compose(byHand, old).state).toBe('good');
  });

  it('goes by the schedule where there is one: a run that did not come, not one that is under way', () => {
    const nightly = { kind: 'cron', expression: '0 3 * * *', timezone: 'UTC' } as const;
    const at = (daysAgo: number) => [copies('disk', { holdings: holdings(daysAgo) })];
    // Noon: the newest run of 0.5 days ago is that of midnight, and 03:00 has passed.
    const missed = compose(nights(3), at(0.5), { schedule: nightly });
    expect(missed).toMatchObject({ state: 'warning', concerns: ['a run that was due did not come'] });
    expect(missed.schedule).toEqual({
      text: '0 3 * * * (UTC)',
      nextRun: new Date(Date.UTC(2026, 10, 27, 3)),
      missedAt: new Date(Date.UTC(2026, 10, 26, 3)),
    });
    expect(compose(nights(3, 0.375), at(0.375), { schedule: nightly }).state).toBe('good');
    const busy = [...nights(3), execution(0.374, 'running')];
    expect(compose(busy, at(0.5), { schedule: nightly }).state).toBe('good');
    const weekly = { ...nightly, expression: '0 3 * * 0' };
    expect(compose(nights(10, 4), at(4), { schedule: weekly }).state).toBe('good');
    const disabled = compose(nights(10, 4), at(4), { schedule: nightly, disabled: true });
    expect(disabled.state).toBe('good');
    expect(disabled.schedule).toEqual({ text: '0 3 * * * (UTC)' });
  });

  it('is idle before the first run', () => {
    expect(compose([], [copies('disk', { holdings: holdings() })])).toMatchObject({ state: 'idle', concerns: [] });
  });
});

describe('backups that the history does not know', () => {
  /** One copy at a destination, made so many days ago. */
  function stored(daysAgo: number, change: Partial<StoredBackup> = {}): StoredBackup {
    const startedAt = new Date(now.getTime() - daysAgo * day).toISOString();
    const { sidecar, key } = backupNumber(daysAgo, { startedAt });
    return { on: { name: 'disk' } as StoredBackup['on'], key, sidecar, condition: 'complete', ...change };
  }

  it('are runs too, once for all copies, and only complete ones of this time', () => {
    const damaged = stored(3, { condition: 'damaged' });
    const suspect = stored(2, { state: { version: '1.0', verifications: [], suspect: { reason: 'small' } } });
    const disk = copies('disk', { holdings: holdings(1), backups: [stored(1), suspect, damaged, stored(400)] });
    const nas = copies('nas', { holdings: holdings(1), backups: [stored(1)] });
    const { runs, counts, lastRun } = compose([], [disk, nas]);
    expect(runs.map(({ status, executionId }) => [status, executionId])).toEqual([
      ['suspect', undefined],
      ['completed', undefined],
    ]);
    expect(counts).toMatchObject({ total: 2, good: 1, suspect: 1, fromSidecars: 2 });
    expect(lastRun?.storedBytes).toBe(backupNumber(1).data.length);
  });

  it('are not counted twice where the history knows them', () => {
    const backup = stored(1);
    const known = { ...execution(1, 'completed'), backupId: backup.sidecar?.id };
    const { counts } = compose([known], [copies('disk', { holdings: holdings(1), backups: [backup] })]);
    expect(counts).toMatchObject({ total: 1, fromSidecars: 0 });
  });
});

it('believes the history where no destination was asked, and says so by naming none', () => {
  const { lastGood, state } = compose(nights(3));
  expect(lastGood).toMatchObject({ backupId: 'backup-0.5', destinations: [] });
  expect(state).toBe('good');
});

it('knows how it last ended from before the time of the report', () => {
  const earlier = { lastRun: runOf(execution(200, 'failed')), lastGood: runOf(execution(201, 'completed')) };
  const job = compose([], undefined, { earlier });
  expect(job).toMatchObject({ state: 'failing', concerns: ['the last run failed'], lastGood: { ageMs: 201 * day } });
});
