import { execFileSync } from 'node:child_process';
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeQuickWorkplace, runInProcess } from '../fault/faulty-app.ts';
import { backupsOf, historyOf } from './aftermath.ts';
import { events, expectCode, type Workplace } from './cli.ts';

let place: Workplace;

beforeEach(async () => {
  place = await makeQuickWorkplace();
});
afterEach(() => place.remove());

const config = (more = '') => `sources:
  shop: { type: sqlite, path: ./shop.sqlite }
destinations:
  disk: { type: local, path: ./backups }
jobs:
  shop: { source: shop, destinations: disk${more} }
`;

function fill(rows: number): void {
  const sql = `DROP TABLE IF EXISTS t; CREATE TABLE t(x); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < ${rows}) INSERT INTO t SELECT hex(randomblob(50)) FROM c; VACUUM;`;
  execFileSync('sqlite3', [place.path('shop.sqlite'), sql]);
}

/** A `sqlite3` first on PATH that does what the script says, for the `sql` format. */
async function fakeSqlite3(script: string): Promise<string> {
  await mkdir(place.path('bin'), { recursive: true });
  await writeFile(place.path('bin', 'sqlite3'), `#!/bin/sh\n${script}\n`);
  await chmod(place.path('bin', 'sqlite3'), 0o755);
  return `${place.path('bin')}:${place.env['PATH']}`;
}

describe('F09 anomaly guard', () => {
  test('a backup that lost most of its data is kept, marked, warned of, and blocks retention, though the first destination keeps one', async () => {
    const first = '[{ name: disk, retention: { last: 1 } }, vault]';
    const withVault = config().replace('destinations: disk', `destinations: ${first}`);
    await place.configure(withVault.replace('jobs:', '  vault: { type: local, path: ./vault }\njobs:'));
    fill(3000);
    for (let run = 0; run < 3; run += 1) expectCode(await place.run('run', 'shop'), 0);
    fill(10);
    const suspect = expectCode(await place.run('run', 'shop', '--json'), 8);
    expect(suspect.stderr).toMatch(/^warning shop: suspect: /m);
    expect(events(suspect, 'result')[0]).toMatchObject({
      status: 'suspect',
      suspect: expect.stringMatching(/fell by/),
    });
    const listed = expectCode(await place.run('list', 'vault', '--json'), 0);
    expect(await backupsOf(place)).toHaveLength(4 + 2);
    const { backups } = JSON.parse(listed.stdout) as {
      backups: { state?: { suspect?: unknown }; sidecar: { id: string } }[];
    };
    expect(backups).toHaveLength(4);
    expect(backups.filter((each) => each.state?.suspect)).toHaveLength(1);
    const latest = expectCode(await place.run('show', 'shop@latest', '--json'), 0);
    expect(JSON.parse(latest.stdout).state?.suspect).toBeUndefined();

    const id = backups.find((each) => each.state?.suspect)?.sidecar.id ?? '';
    expectCode(await place.run('accept', id), 0);
    const again = expectCode(await place.run('run', 'shop', '--json', '--no-retention'), 0);
    expect(events(again, 'result')[0]).toMatchObject({ status: 'completed' });
  });
});

describe('retries', () => {
  test('every try is an execution of its own; onFailure is told of the last', async () => {
    const hooks = `hooks: { onFailure: [["touch", "${place.path('told')}"]] }`;
    const yaml = config(`, retry: { attempts: 2, backoff: 10ms }, ${hooks}`);
    await place.configure(yaml.replace('type: local', 'type: faulty'));
    fill(10);
    let left = 1;
    const faults = { failing: new Set(['put'] as const), passing: true, only: () => left-- > 0 };
    expectCode(await runInProcess(place, faults, 'run', 'shop'), 0);
    const tries = async () => (await historyOf(place)).map(({ status, retryCount }) => [status, retryCount]);
    const first = [
      ['completed', 1],
      ['failed', 0],
    ];
    expect(await tries()).toEqual(first);
    await expect(access(place.path('told'))).rejects.toThrow();
    left = 2;
    expectCode(await runInProcess(place, faults, 'run', 'shop'), 4);
    expect(await tries()).toEqual([['failed', 1], ['failed', 0], ...first]);
    await access(place.path('told'));
  });
});

describe('status and cancel', () => {
  test('a running execution is seen and stopped from another terminal', async () => {
    await place.configure(config(', format: sql'));
    fill(10);
    const path = await fakeSqlite3('echo "PRAGMA foreign_keys=OFF;"; sleep 300');
    const { ended } = place.start(['run', 'shop'], { PATH: path });
    const watcher = place.start(['status', '--watch', '--json']);
    let running: { id: string; job: string }[] = [];
    for await (const line of createInterface({ input: watcher.child.stdout ?? Readable.from([]) })) {
      running = JSON.parse(line).running;
      if (running.length > 0) break;
    }
    watcher.child.kill('SIGINT');
    expect(expectCode(await watcher.ended, 0).stderr).toBe('');
    expect(running[0]).toMatchObject({ job: 'shop', status: 'running' });
    expectCode(await place.run('cancel', running[0]?.id.slice(0, 8) ?? ''), 0);
    expectCode(await ended, 130);
    const history = JSON.parse(expectCode(await place.run('history', '--json'), 0).stdout);
    expect(history.executions[0]).toMatchObject({ status: 'cancelled' });
    expectCode(await place.run('cancel', running[0]?.id ?? ''), 2);
  });

  test('one that ends before it sees the wish is not called cancelled', async () => {
    const [ready, go] = [place.path('ready'), place.path('go')];
    const waiting = `touch ${ready}; while [ ! -e ${go} ]; do sleep 0.02; done`;
    await place.configure(config(`, hooks: { onSuccess: [["sh", "-c", "${waiting}"]] }`));
    fill(10);
    const run = place.run('run', 'shop');
    await vi.waitFor(() => access(ready), 30_000);
    const [running] = JSON.parse((await place.run('status', '--json')).stdout).running;
    const cancelled = place.run('cancel', running.id);
    await vi.waitFor(() => access(place.path('state', 'cancel', running.id)), 30_000);
    await writeFile(go, '');
    expectCode(await run, 0);
    expect(expectCode(await cancelled, 0).stdout).toMatch(/had come to its end before .*: completed/);
  });
});

describe('freshness', () => {
  test('where no job is enabled nothing is fresh, and nothing runs in silence', async () => {
    await place.configure(config(', enabled: false'));
    for (const argv of [
      ['run', '--all'],
      ['status', '--max-age', '26h'],
    ]) {
      expect(expectCode(await place.run(...argv), 2).stderr).toContain('is enabled');
    }
  });

  test('an old or missing newest backup gives exit code 8', async () => {
    await place.configure(config());
    fill(10);
    expectCode(await place.run('status', '--max-age', '26h'), 8);
    expectCode(await place.run('run', 'shop'), 0);
    expectCode(await place.run('status', '--max-age', '26h', 'shop'), 0);
    const listed = JSON.parse((await place.run('list', '--json')).stdout);
    const sidecar = place.path('backups', `${listed.backups[0].key}.meta.json`);
    const text = await readFile(sidecar, 'utf8');
    await chmod(sidecar, 0o600);
    await writeFile(sidecar, text.replace(/"startedAt": "[^"]+"/, '"startedAt": "2020-01-01T00:00:00.000Z"'));
    const stale = expectCode(await place.run('status', '--max-age', '26h'), 8);
    expect(stale.stdout).toMatch(/shop at disk.*too old/);
  });
});

describe('queue', () => {
  test('one job that fails does not stop the others', async () => {
    fill(10);
    await place.configure(`sources:
  good: { type: sqlite, path: ./shop.sqlite }
  bad: { type: sqlite, path: ./missing.sqlite }
destinations:
  disk: { type: local, path: ./backups }
jobs:
  one: { source: bad, destinations: disk }
  two: { source: good, destinations: disk }
  three: { source: good, destinations: disk }
maxConcurrentJobs: 2
`);
    const run = expectCode(await place.run('run', '--all'), 7);
    expect(run.stderr).toMatch(/1 of 3 jobs failed: one/);
    const { facets } = JSON.parse((await place.run('list', '--json')).stdout);
    expect(facets.job).toEqual({ two: 1, three: 1 });
  });
});
