import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ExecutionEnd, type History, openHistory } from '../../../../src/history/history.ts';
import { readRuns } from '../../../../src/operation/report/read-runs.ts';

const start = Date.UTC(2026, 10, 1, 3);
const day = 86_400_000;
let state: string;
let history: History;

beforeEach(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'dbbackup-report-'));
  history = await openHistory(state);
});
afterEach(async () => {
  history.close();
  await rm(state, { recursive: true, force: true });
});

function ran(night: number, end: ExecutionEnd, kind: 'backup' | 'prune' = 'backup', job = 'shop'): string {
  const startedAt = new Date(start + night * day);
  const id = history.begin({ kind, job, trigger: 'schedule', host: 'db1', pid: 1, startedAt });
  history.finish(id, { finishedAt: new Date(startedAt.getTime() + 1000), ...end });
  return id;
}

const full = { code: 'DISK_FULL', message: 'no space left', hint: 'Free some space.' };

it('tells runs of backups oldest first, with figures only where a backup was published', () => {
  ran(0, { status: 'completed', storedBytes: 10, rawBytes: 30 });
  ran(1, { status: 'failed', storedBytes: 5, rawBytes: 6, error: full });
  ran(2, { status: 'cancelled', storedBytes: 5 });
  ran(3, { status: 'completed' }, 'prune');
  const { runs } = readRuns(history, [], new Date(start)).get('shop') ?? {};
  expect(runs?.map(({ outcome, storedBytes, durationMs }) => [outcome, storedBytes, durationMs])).toEqual([
    ['good', 10, 1000],
    ['failed', undefined, undefined],
    ['warned', undefined, undefined],
  ]);
});

it('tells failures newest first, of other kinds too, and several that said the same as one', () => {
  ran(0, { status: 'failed', error: { code: 'SOURCE_FAILED', message: 'refused' } });
  const nights = [1, 2, 3].map((night) => ran(night, { status: 'failed', error: full }));
  ran(4, { status: 'completed' });
  const last = ran(5, { status: 'failed', error: full }, 'prune');
  const { failures, failureCount } = readRuns(history, [], new Date(start)).get('shop') ?? {};
  expect(failureCount).toBe(5);
  expect(failures).toMatchObject([
    { executionId: last, kind: 'prune', times: 1, hint: 'Free some space.' },
    { executionId: nights[2], times: 3, sinceAt: new Date(start + day), startedAt: new Date(start + 3 * day) },
    { message: 'refused', times: 1 },
  ]);
});

it('says why where the record of the run does not: destinations, log, step', () => {
  const partial = history.begin({ kind: 'backup', job: 'a', trigger: 'schedule', host: 'db1', pid: 1 });
  history.destinationResult(partial, { name: 'disk', type: 'local', status: 'completed' });
  history.destinationResult(partial, { name: 'nas', type: 'sftp', status: 'failed', error: 'connection lost' });
  history.finish(partial, { status: 'partial' });
  const suspect = history.begin({ kind: 'backup', job: 'b', trigger: 'schedule', host: 'db1', pid: 1 });
  history.log(suspect, 'warning', 'suspect: 4 kB, usually 9 kB');
  history.log(suspect, 'warning', 'something else');
  history.finish(suspect, { status: 'suspect' });
  const cut = history.begin({ kind: 'backup', job: 'c', trigger: 'schedule', host: 'db1', pid: 1, step: 'dump' });
  history.finish(cut, { status: 'interrupted' });
  const records = readRuns(history, [], new Date(0));
  const messageOf = (job: string) => records.get(job)?.failures[0]?.message;
  expect(messageOf('a')).toBe('nas: connection lost');
  expect(messageOf('b')).toBe('suspect: 4 kB, usually 9 kB');
  expect(messageOf('c')).toBe('its process ended at the step "dump"');
});

it('asks only for the jobs that are named, and from then on', () => {
  ran(0, { status: 'completed' });
  ran(3, { status: 'completed' });
  ran(3, { status: 'completed' }, 'backup', 'wiki');
  const records = readRuns(history, ['shop'], new Date(start + day));
  expect([...records.keys()]).toEqual(['shop']);
  expect(records.get('shop')?.runs).toHaveLength(1);
});
