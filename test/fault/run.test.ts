/** The fault catalogue end to end: the built program, with a scripted `sqlite3` first on PATH. */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { backupsOf, expectNothingPublished, filesIn, historyOf, processesOf } from '../e2e/aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { fakeProgram, isAlive } from '../scripted-dump/fake-program.ts';
import { fillNasty, fillNoise, fingerprintOf } from '../servers/sqlite-nasty.ts';

const config = `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups }, usb: { type: local, path: usb } }
jobs:
  told: { source: shop, destinations: disk, format: sql, timeouts: { idle: 2s } }
  patient: { source: shop, destinations: disk, format: sql }
  bzip2: { source: shop, destinations: disk, compression: bzip2 }
  copied: { source: shop, destinations: disk }
  both: { source: shop, destinations: [disk, usb] }
`;
const megabyte = 1024 * 1024;

let place: Workplace;
let before: Record<string, string>;
let fakes: string;

/** Runs with a scripted `sqlite3`, whose behaviour is told by its own variables. */
async function runFaked(behaviour: Record<string, string | number>, ...args: string[]) {
  const PATH = `${fakes}:${process.env['PATH']}`;
  const told = Object.fromEntries(Object.entries(behaviour).map(([name, value]) => [name, String(value)]));
  return place.start(args.length > 0 ? args : ['run', 'told'], { PATH, DUMP_VERSION: '3.46.0', ...told });
}

beforeAll(async () => {
  place = await makeWorkplace();
  fakes = place.path('bin');
  await mkdir(fakes);
  await fakeProgram(fakes, 'sqlite3');
  fillNasty(place.path('shop.sqlite'));
  await place.configure(config);
  expectCode(await place.run('run', 'copied'), 0);
});
beforeEach(async () => {
  await place.configure(config);
  before = await filesIn(place.path('backups'));
});
afterEach(async () => {
  const left = processesOf(place);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  for (const file of ['pid', 'grandchild']) await rm(place.path(file), { force: true });
  expect(left).toEqual([]);
});
afterAll(() => place.remove());

describe('a dump program that does not do its work', () => {
  const whole = { DUMP_TRAILER: '\nCOMMIT;\n', DUMP_BYTES: 4 * megabyte };
  test('is believed when it does (or these tests prove nothing)', async () => {
    expectCode(await (await runFaked(whole)).ended, 0);
    expectCode(await place.run('verify', 'told@latest'), 0);
  });

  test.each<[string, Record<string, string | number>, number, string, RegExp]>([
    ['F05 writes nothing and exits 0', { DUMP_BYTES: 0, DUMP_TRAILER: '' }, 3, 'DUMP_EMPTY', /empty dump/],
    ['F05 writes nothing and fails', { DUMP_EXIT_AT: 0, DUMP_EXIT: 3 }, 3, 'SOURCE_FAILED', /exited with code 3/],
    ['F06 is killed after some MB', { ...whole, DUMP_KILL_AT: 3 * megabyte }, 3, 'SOURCE_FAILED', /killed by SIGKILL/],
    ['F06 fails after its last byte', { ...whole, DUMP_EXIT: 1 }, 3, 'SOURCE_FAILED', /exited with code 1/],
    ['F07 exits 0 in the middle', { ...whole, DUMP_EXIT_AT: 3 * megabyte }, 3, 'DUMP_INCOMPLETE', /incomplete dump/],
    ['F07 leaves out the end', { ...whole, DUMP_TRAILER: '' }, 3, 'DUMP_INCOMPLETE', /incomplete dump/],
    ['F07 met errors', { ...whole, DUMP_TRAILER: 'ROLLBACK; -- due to errors\n' }, 3, 'DUMP_INCOMPLETE', /met errors/],
    ['F08 stalls', { ...whole, DUMP_STALL_AT: 3 * megabyte, DUMP_IGNORE_TERM: 1 }, 3, 'TIMEOUT', /2 s/],
    [
      'F12 fails after 100 MB on stderr',
      { DUMP_STDERR_BYTES: 100 * megabyte, DUMP_STDERR: 'the last word', DUMP_EXIT_AT: 0, DUMP_EXIT: 1 },
      3,
      'SOURCE_FAILED',
      /the last word/,
    ],
  ])('%s', async (_, behaviour, exitCode, errorCode, message) => {
    // A helper of a program that ends well may keep its stdout open; then its silence is what is noticed.
    const helper = 'DUMP_EXIT' in behaviour || 'DUMP_KILL_AT' in behaviour || 'DUMP_STALL_AT' in behaviour;
    const grandchild: Record<string, string> = helper ? { DUMP_GRANDCHILD: place.path('grandchild') } : {};
    const run = await (await runFaked({ ...behaviour, ...grandchild })).ended;
    expect(run.stderr).toMatch(message);
    if (helper) expect(isAlive(Number(await readFile(place.path('grandchild'), 'utf8')))).toBe(false);
    await expectNothingPublished(place, before, { run, exitCode, errorCode });
    expect(run.stderr.length).toBeLessThan(20_000);
  });

  test('F01 is not there: named with its package, before anything is made', async () => {
    const node = place.path('only-node');
    await mkdir(node);
    await writeFile(`${node}/node`, `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
    const run = await place.start(['run', 'told'], { PATH: node }).ended;
    expect(run.stderr).toMatch(/sqlite3.*not found[\s\S]*apt-get install sqlite3/);
    await expectNothingPublished(place, before, { run, exitCode: 3, errorCode: 'TOOL_MISSING' });
  });

  test('F08 has freed the lock: the next run works', async () => {
    expectCode(await (await runFaked({ ...whole, DUMP_STALL_AT: megabyte })).ended, 3);
    expectCode(await (await runFaked(whole)).ended, 0);
  });
});

test.each([
  ['is killed in the middle', { DUMP_BYTES: 3 * megabyte, DUMP_KILL_AT: 10_000 }, 'killed by SIGKILL'],
  ['exits early with 0', { DUMP_BYTES: 100, DUMP_TRAILER: '' }, ''],
  ['fails', { DUMP_EXIT_AT: 0, DUMP_EXIT: 2, DUMP_STDERR: 'no space for you' }, 'no space for you'],
])('F10 a compressor that %s', async (_, behaviour, words) => {
  await rm(place.path('noise.sqlite'), { force: true });
  fillNoise(place.path('noise.sqlite'), 4);
  await place.configure(config.replace('path: shop.sqlite', 'path: noise.sqlite'));
  await fakeProgram(fakes, 'lbzip2').catch(alreadyThere);
  const run = await (await runFaked(behaviour, 'run', 'bzip2')).ended;
  expect(run.stderr).toContain(words);
  expect(run.code).not.toBe(0);
  const [newest] = await historyOf(place);
  await expectNothingPublished(place, before, {
    run,
    exitCode: run.code ?? -1,
    errorCode: newest?.error?.code ?? '',
  });
});

function alreadyThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

describe('F23 a signal', () => {
  test.each([
    ['SIGINT', 130, 'INTERRUPTED'],
    ['SIGTERM', 143, 'TERMINATED'],
    ['SIGHUP', 143, 'TERMINATED'],
  ] as const)('%s in the middle of a dump: %i, and nothing is left', async (signal, exitCode, errorCode) => {
    const pidFile = place.path('pid');
    const { child, ended } = await runFaked(
      { DUMP_STALL_AT: megabyte, DUMP_BYTES: 4 * megabyte, DUMP_IGNORE_TERM: 1, DUMP_PID_FILE: pidFile },
      'run',
      'patient',
    );
    const pid = await vi.waitFor(async () => Number(await readFile(pidFile, 'utf8')) || Promise.reject(), waiting);
    child.kill(signal);
    const run = await ended;
    // Killed at the latest when we exit; the kernel takes a moment to bury it.
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 30_000, interval: 5 });
    await expectNothingPublished(place, before, { run, exitCode, errorCode, status: 'cancelled' });
  });

  test('at any other moment: nothing, or a whole backup', async () => {
    const begun = Date.now();
    expectCode(await place.run('run', 'copied'), 0);
    const lastsMs = Date.now() - begun;
    for (const share of [0.3, 0.5, 0.65, 0.8, 0.95]) {
      const { child, ended } = place.start(['run', 'copied']);
      await delay(lastsMs * share);
      child.kill('SIGINT');
      const { code, signal, stderr } = await ended;
      // Before Node has started, the default action of the signal ends it.
      if (signal !== 'SIGINT') expect([0, 130], stderr).toContain(code);
      expect(processesOf(place)).toEqual([]);
      expect((await backupsOf(place)).map(({ condition }) => condition)).not.toContain('orphan');
      expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
    }
    expectCode(await place.run('verify', '--all', '--quiet'), 0);
  });

  test('while it waits for a lock', async () => {
    const first = await holdLock();
    const waiter = place.start(['run', 'patient', '--wait', '--json']);
    let said = '';
    waiter.child.stdout?.on('data', (text) => {
      said += text;
    });
    await vi.waitFor(() => expect(said).toContain('waiting for another run'), waiting);
    waiter.child.kill('SIGTERM');
    expectCode(await waiter.ended, 143);
    first.child.kill('SIGTERM');
    expectCode(await first.ended, 143);
  });
});

const waiting = { timeout: 30_000, interval: 20 };

/** A run of `patient` that has its lock, and stalls. */
async function holdLock() {
  const pidFile = place.path('pid');
  const run = await runFaked(
    { DUMP_STALL_AT: megabyte, DUMP_BYTES: 2 * megabyte, DUMP_PID_FILE: pidFile },
    'run',
    'patient',
  );
  await vi.waitFor(() => readFile(pidFile), waiting);
  return run;
}

describe('two runs', () => {
  test('F28 of one job: the second says who works, and exits 6; F29 when that one is killed, the lock is free', async () => {
    const first = await holdLock();
    const busy = expectCode(await place.run('run', 'patient'), 6);
    expect(busy.stderr).toMatch(
      new RegExp(`job patient is locked by execution [0-9a-f]{8} \\(pid ${first.child.pid} on .*since`),
    );
    expect(expectCode(await place.run('status'), 0).stdout).toMatch(/backup +patient +dump/);
    expectCode(await place.run('run', 'copied'), 0);
    first.child.kill('SIGKILL');
    await first.ended;
    // Nobody is left to end a dump that is silent for ever; a speaking one meets a closed pipe.
    for (const pid of processesOf(place)) process.kill(pid, 'SIGKILL');
    expectCode(await place.run('run', 'patient'), 0);
    const statuses = (await historyOf(place, 'patient')).slice(0, 3).map(({ status }) => status);
    expect(statuses).toEqual(['completed', 'failed', 'interrupted']);
  });

  test('F30 in the same moment: distinct names, nothing overwritten', async () => {
    const others = `${config}  twin: { source: shop, destinations: disk }\n`;
    await place.configure(others);
    const runs = await Promise.all([0, 1, 2].map(() => place.run('run', 'twin', '--wait')));
    for (const run of runs) expectCode(run, 0);
    const twins = (await backupsOf(place)).filter(({ key }) => key.startsWith('twin/'));
    expect(new Set(twins.map(({ key }) => key)).size).toBe(3);
    expectCode(await place.run('verify', '--all', '--quiet'), 0);
  });
});

describe('F27 trouble with the history costs a warning (exit 8), not the backup', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['garbage', () => writeFile(place.path('state', 'history.sqlite'), 'garbage '.repeat(1000))],
    [
      'a folder in its place',
      async () => {
        await rm(place.path('state', 'history.sqlite'), { force: true });
        await mkdir(place.path('state', 'history.sqlite'));
      },
    ],
  ])('%s', async (_, spoil) => {
    await spoil();
    const run = expectCode(await place.run('run', 'copied'), 8);
    expect(run.stderr).toMatch(/^warning history/m);
    expect(Object.keys(await filesIn(place.path('backups')))).toHaveLength(Object.keys(before).length + 2);
    await rm(place.path('state', 'history.sqlite'), { recursive: true, force: true });
  });

  test('deleted: a new one is begun, and the backups are still there', async () => {
    await rm(place.path('state'), { recursive: true });
    expectCode(await place.run('run', 'copied'), 0);
    expect(Object.keys(await filesIn(place.path('backups')))).toHaveLength(Object.keys(before).length + 2);
  });
});

describe('F32 what is wrong with the configuration is said before anything is contacted (exit 2)', () => {
  test('an unset variable that this command needs, not one that it does not', async () => {
    await place.configure(config.replace('path: shop.sqlite', `path: "\${SHOP_IS_UNSET}"`));
    const run = expectCode(await place.run('run', 'copied'), 2);
    expect(run.stderr).toMatch(/dbbackup\.yaml: sources\.shop\.path needs the variable SHOP_IS_UNSET/);
    expectCode(await place.run('restore', 'copied@latest', '--to', 'restored.sqlite'), 0);
    expect(await filesIn(place.path('backups'))).toEqual(before);
  });

  test('F43 a file that everyone may write is only read when it is named', async () => {
    await chmod(place.path('dbbackup.yaml'), 0o666);
    expect(expectCode(await place.run('list'), 2).stderr).toMatch(/--config/);
    expectCode(await place.run('list', '--config', 'dbbackup.yaml'), 0);
    await chmod(place.path('dbbackup.yaml'), 0o600);
  });
});

test.each([
  '--help',
  '$(touch pwned) "it\'s"\nso.sqlite',
  ' дом 象 .sqlite',
])('F33 a database named %j goes there and back, in both formats', async (name) => {
  const path = place.path(name);
  fillNasty(path);
  const original = fingerprintOf(path);
  const plain = '  plain: { source: shop, destinations: disk, format: sql }\n';
  await place.configure(config.replace('path: shop.sqlite', `path: ${JSON.stringify(name)}`) + plain);
  expectCode(await place.run('run', 'copied', 'plain'), 0);
  for (const job of ['copied', 'plain']) {
    await rm(path);
    expectCode(await place.run('restore', `${job}@latest`, '--to', path), 0);
    expect(fingerprintOf(path)).toEqual(original);
  }
  expect(await filesIn(place.folder)).not.toHaveProperty('pwned');
});

test('F21 one destination of two fails: the other is kept, and the exit code is 7', async () => {
  await writeFile(place.path('usb'), 'no folder');
  const run = expectCode(await place.run('run', 'both', '--json'), 7);
  expect(events(run, 'result')[0]).toMatchObject({
    status: 'partial',
    destinations: [
      { name: 'disk', status: 'completed' },
      { name: 'usb', status: 'failed' },
    ],
  });
  expect((await historyOf(place))[0]).toMatchObject({ status: 'partial' });
  await rm(place.path('usb'));
  expectCode(await place.run('verify', 'both@latest'), 0);
});

test('F41 a target that another process has open is refused, and left alone', async () => {
  const { Database } = await import('../../src/sqlite-library.ts');
  fillNasty(place.path('open.sqlite'), 'wal');
  const reader = new Database(place.path('open.sqlite'));
  reader.prepare('SELECT count(*) FROM gaps').get();
  const run = expectCode(await place.run('restore', 'copied@latest', '--to', 'open.sqlite', '--clean', '--yes'), 3);
  expect(run.stderr).toMatch(/in use.*has it open/);
  reader.close();
  expectCode(await place.run('restore', 'copied@latest', '--to', 'open.sqlite', '--clean', '--yes'), 0);
});

test('F41 a new target beside an old -wal is refused', async () => {
  await writeFile(place.path('new.sqlite-wal'), 'old rows');
  const run = expectCode(await place.run('restore', 'copied@latest', '--to', 'new.sqlite'), 3);
  expect(run.stderr).toMatch(/already holds data|beside it/);
  expect(await readFile(place.path('new.sqlite-wal'), 'utf8')).toBe('old rows');
});

test('F40 SQL that fails half-way leaves no target', async () => {
  expectCode(
    await (await runFaked({ DUMP_PAYLOAD: 'text', DUMP_BYTES: 100_000, DUMP_TRAILER: '\nCOMMIT;\n' })).ended,
    0,
  );
  const run = expectCode(await place.run('restore', 'told@latest', '--to', 'half.sqlite'), 3);
  expect(run.stderr).toMatch(/no such table: item|restore into/);
  expect(Object.keys(await filesIn(place.folder)).filter((name) => /half|dbbackup-restore/.test(name))).toEqual([]);
});
