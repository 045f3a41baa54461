import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ExecutionEnd, type History, type NewExecution, openHistory } from '../../../src/history/history.ts';
import { registerSecret } from '../../../src/redact.ts';
import { historyFile } from '../../../src/state-folder.ts';

const backup: NewExecution = { kind: 'backup', job: 'shop', trigger: 'manual', host: 'db1', pid: 7 };
const minute = 60_000;

let state: string;
let history: History;
beforeEach(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'dbbackup-history-'));
  history = await openHistory(state);
});
afterEach(async () => {
  vi.useRealTimers();
  history.close();
  await rm(state, { recursive: true, force: true });
});

function ran(startedAt: number, end: ExecutionEnd, execution: Partial<NewExecution> = {}): string {
  const id = history.begin({ ...backup, startedAt: new Date(startedAt), ...execution });
  history.finish(id, { finishedAt: new Date(startedAt + minute), ...end });
  return id;
}

describe('an execution', () => {
  it('is read back as it was written, in this process and by the next one', async () => {
    const filter = { exclude: ['audit_log'] };
    const known = { compression: 'zstd', level: 3, backupType: 'full', filter, estimatedBytes: 5 } as const;
    const id = history.begin({ ...backup, ...known, step: 'inspect', note: 'before the migration' });
    expect(history.get(id)).toMatchObject({ id, status: 'running', step: 'inspect', ...known, destinations: [] });
    history.destinationResult(id, { name: 'disk', type: 'local', status: 'running' });
    history.destinationResult(id, { name: 'offsite', type: 's3', status: 'failed', error: 'refused' });
    history.destinationResult(id, { name: 'disk', type: 'local', status: 'completed', key: 'shop/a', size: 9 });
    const end = {
      ...{ rawBytes: 20, storedBytes: 9, backupId: 'b-1', artifact: 'a', retryCount: 2 },
      ...{ rawSha256: 'aa', storedSha256: 'bb', encryptionFingerprint: 'cc' },
      error: { code: 'DESTINATION_FAILED', message: 'upload failed', hint: 'try again' },
    };
    history.finish(id, { status: 'partial', durationMs: 12, ...end });
    history.close();
    history = await openHistory(state);
    expect(history.warnings).toEqual([]);
    const execution = history.get(id);
    expect(execution).toMatchObject({ ...backup, ...known, ...end, status: 'partial', durationMs: 12 });
    expect(execution?.note).toBe('before the migration');
    expect(execution?.destinations).toEqual([
      { name: 'disk', type: 'local', status: 'completed', key: 'shop/a', size: 9, error: undefined },
      { name: 'offsite', type: 's3', status: 'failed', key: undefined, size: undefined, error: 'refused' },
    ]);
  });

  it('takes its duration from its own start', () => {
    expect(history.get(ran(1000, { status: 'completed' }))?.durationMs).toBe(minute);
  });

  it('is found by a prefix that fits one, refused when it fits several', () => {
    history.begin({ ...backup, id: 'aaaa0000-0000-4000-8000-000000000001' });
    history.begin({ ...backup, id: 'aaaa1111-0000-4000-8000-000000000002' });
    expect(history.get('AAAA1')?.id).toBe('aaaa1111-0000-4000-8000-000000000002');
    expect(history.get('bbbb')).toBeUndefined();
    expect(history.get("' OR 1=1")).toBeUndefined();
    expect(() => history.get('aaaa')).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('that is unknown cannot be finished', () => {
    expect(() => history.finish('nobody', { status: 'failed' })).toThrow(
      expect.objectContaining({ code: 'HISTORY_FAILED' }),
    );
  });

  it('waits as pending until it starts', () => {
    const id = history.begin({ ...backup, status: 'pending' });
    expect(history.running().map((execution) => execution.status)).toEqual(['pending']);
    history.start(id, new Date(5));
    expect(history.get(id)).toMatchObject({ status: 'running', startedAt: new Date(5) });
  });
});

describe('progress', () => {
  it('is written at most twice a second, and the last value is not lost', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const id = history.begin(backup);
    history.progress(id, { rawBytes: 1 });
    history.progress(id, { rawBytes: 2 });
    vi.advanceTimersByTime(499);
    history.progress(id, { storedBytes: 3 });
    expect(history.get(id)).toMatchObject({ rawBytes: 1 });
    vi.advanceTimersByTime(1);
    history.progress(id, { rawBytes: 4 });
    expect(history.get(id)).toMatchObject({ rawBytes: 4, storedBytes: 3 });
    history.progress(id, { rawBytes: 5 });
    history.setStep(id, 'verify');
    expect(history.get(id)).toMatchObject({ rawBytes: 5, step: 'verify' });
    history.progress(id, { rawBytes: 6, storedBytes: 6 });
    history.finish(id, { status: 'completed', storedBytes: 7 });
    expect(history.get(id)).toMatchObject({ rawBytes: 6, storedBytes: 7 });
  });
});

describe('list', () => {
  it('filters, sorts and pages, and counts what matches', () => {
    for (let run = 0; run < 5; run++) ran(run * minute, { status: run === 3 ? 'failed' : 'completed', rawBytes: -run });
    ran(9 * minute, { status: 'completed' }, { job: 'other', kind: 'restore' });
    const times = (query: Parameters<History['list']>[0]) => {
      const { executions, total } = history.list(query);
      return [total, ...executions.map((execution) => execution.startedAt.getTime() / minute)];
    };
    expect(times({})).toEqual([6, 9, 4, 3, 2, 1, 0]);
    expect(times({ job: 'shop', limit: 2, offset: 1 })).toEqual([5, 3, 2]);
    expect(times({ status: 'failed' })).toEqual([1, 3]);
    expect(times({ kind: ['restore', 'drill'] })).toEqual([1, 9]);
    expect(times({ since: new Date(minute), until: new Date(3 * minute), order: 'asc' })).toEqual([2, 1, 2]);
    expect(times({ job: 'shop', sort: 'rawBytes', order: 'asc', limit: 1 })).toEqual([5, 4]);
  });
});

describe('log lines', () => {
  it('keep their order, and the newest 10,000', () => {
    const id = history.begin(backup);
    for (let line = 1; line <= 10_003; line++) history.log(id, 'info', `line ${line}`);
    const lines = history.logs(id);
    expect(lines.length).toBe(10_000);
    expect([lines[0]?.text, lines.at(-1)?.text]).toEqual(['line 4', 'line 10003']);
  });

  it('continue where another process stopped', async () => {
    const id = history.begin(backup);
    history.log(id, 'info', 'one');
    history.close();
    history = await openHistory(state);
    history.log(id, 'error', 'x'.repeat(9000));
    expect(history.logs(id).map((line) => [line.level, line.text.length])).toEqual([
      ['info', 3],
      ['error', 8192],
    ]);
  });
});

describe('jobStatistics', () => {
  it('counts the backups of the job and takes medians of the newest good ones', () => {
    const good = (at: number, rawBytes: number) => ran(at, { status: 'completed', rawBytes, storedBytes: 1 });
    good(0, 1_000_000);
    for (const [index, size] of [10, 30, 20, 40].entries()) good((index + 1) * minute, size);
    const lastGood = good(5 * minute, 50);
    ran(6 * minute, { status: 'suspect', rawBytes: 1 });
    const last = ran(7 * minute, { status: 'failed', rawBytes: 0 });
    ran(8 * minute, { status: 'completed', rawBytes: 1 }, { kind: 'restore' });
    history.begin({ ...backup, status: 'pending' });
    const statistics = history.jobStatistics('shop', { runs: 4 });
    expect(statistics).toMatchObject({ total: 9, successful: 6, failed: 1, sampled: 4 });
    expect(statistics).toMatchObject({ medianRawBytes: 35, medianStoredBytes: 1, medianDurationMs: minute });
    expect([statistics.lastRun?.id, statistics.lastGood?.id]).toEqual([last, lastGood]);
    expect(history.jobStatistics('shop', { since: new Date(5 * minute) })).toMatchObject({ sampled: 1 });
    expect(history.jobStatistics('nobody')).toEqual({ job: 'nobody', total: 0, successful: 0, failed: 0, sampled: 0 });
  });

  it('leaves out the job of the same name in another config; what tells of none counts', () => {
    ran(0, { status: 'completed' });
    ran(minute, { status: 'completed' }, { config: '/a/dbbackup.yaml' });
    ran(2 * minute, { status: 'failed' }, { config: '/b/dbbackup.yaml' });
    expect(history.jobStatistics('shop', { config: '/a/dbbackup.yaml' })).toMatchObject({ total: 2, failed: 0 });
    expect(history.jobStatistics('shop', { config: '/b/dbbackup.yaml' })).toMatchObject({ total: 2, failed: 1 });
    expect(history.list({ job: 'shop', config: '/a/dbbackup.yaml', status: 'failed' }).total).toBe(0);
    expect(history.list({ job: 'shop' }).total).toBe(3);
  });
});

describe('validations', () => {
  it('are listed newest first for their backup', () => {
    const common = { kind: 'verify', key: 'shop/a', destination: 'disk' } as const;
    history.recordValidation({ ...common, backupId: 'b', result: 'passed', at: new Date(1) });
    history.recordValidation({ ...common, backupId: 'b', result: 'failed', error: 'sha256', at: new Date(2) });
    history.recordValidation({ ...common, backupId: 'other', result: 'passed' });
    expect(history.validations('b')).toEqual([
      { ...common, backupId: 'b', result: 'failed', error: 'sha256', at: new Date(2) },
      { ...common, backupId: 'b', result: 'passed', at: new Date(1) },
    ]);
  });
});

describe('markInterrupted', () => {
  it('touches only those that are unfinished and dead', async () => {
    const living = history.begin(backup);
    const dead = history.begin(backup);
    const ended = history.begin(backup);
    const done = ran(0, { status: 'completed' });
    const interrupted = await history.markInterrupted(async ({ id }) => {
      if (id === ended) history.finish(id, { status: 'completed' });
      return id === living;
    });
    expect(interrupted.map(({ id, status }) => [id, status])).toEqual([[dead, 'running']]);
    expect([living, dead, ended, done].map((id) => history.get(id)?.status)).toEqual([
      'running',
      'interrupted',
      'completed',
      'completed',
    ]);
  });
});

describe('the file', () => {
  it('is private with its companions', async () => {
    history.begin(backup);
    const files = await readdir(state);
    expect(files).toContain('history.sqlite-wal');
    for (const file of files) expect((await stat(path.join(state, file))).mode & 0o777).toBe(0o600);
  });

  it('holds no secret', async () => {
    registerSecret('canary-in-history');
    const text = 'password canary-in-history';
    const id = history.begin({ ...backup, note: text, step: text, filter: { include: [text] }, trigger: text });
    history.progress(id, { step: text });
    history.setStep(id, text);
    history.log(id, 'error', text);
    history.destinationResult(id, { name: 'disk', type: 'local', status: 'failed', error: text });
    const validation = { kind: 'verify', backupId: 'b', key: 'k', destination: 'disk', result: 'failed' } as const;
    history.recordValidation({ ...validation, error: text });
    history.finish(id, { status: 'failed', note: text, error: { code: 'UNEXPECTED', message: text, hint: text } });
    expect(history.get(id)?.error).toEqual({ code: 'UNEXPECTED', message: 'password ***', hint: 'password ***' });
    history.close();
    expect((await readFile(historyFile(state))).includes('canary')).toBe(false);
    history = await openHistory(state);
  });

  it('serves its filters from indexes', async () => {
    const { Database } = await import('../../../src/sqlite-library.ts');
    const database = new Database(historyFile(state), { readonly: true });
    const plan = (sql: string) => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    expect(plan("SELECT * FROM execution WHERE job = 'a' ORDER BY started_at DESC")).toContain('execution_job');
    expect(plan("SELECT * FROM execution WHERE status = 'a'")).toContain('execution_status');
    expect(plan('SELECT * FROM execution ORDER BY started_at DESC')).toContain('execution_started_at');
    database.close();
  });
});
