/** `tune` through the built program: figures for every codec, a line for the config, and nothing left behind. */
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runInProcess } from '../fault/faulty-app.ts';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { filesIn, historyOf, processesOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

interface Result {
  readonly readBytes: number;
  readonly sampleBytes: number;
  readonly whole: boolean;
  readonly totalBytes: number;
  readonly uploadRate?: number;
  readonly candidates: readonly {
    readonly type: string;
    readonly level: number;
    readonly ratio?: number;
    readonly limit?: string;
    readonly storedBytes?: number;
    readonly notTried?: string;
  }[];
  readonly recommendation: { readonly type: string; readonly level: number; readonly yaml: string };
}

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
  fillNasty(place.path('shop.sqlite'));
});
afterEach(() => place.remove());

const base = 'sources: { shop: { type: sqlite, path: ./shop.sqlite } }\n';
const disk = 'destinations: { disk: { type: local, path: ./backups } }\n';
const job = 'jobs: { shop: { source: shop, destinations: disk } }\n';

/** A source that never ends: what `yes` says, as fast as it can. */
const endless = `sources: { shop: { type: command, dump: [sh, -c, 'seq 1 200000; exec yes "a line of an endless dump"'] } }\n`;

function result(run: Run): Result {
  const [found] = events<Result>(run, 'result');
  if (!found) throw new Error(`no result: ${run.stdout}${run.stderr}`);
  return found;
}

async function expectNothingLeft(): Promise<void> {
  expect(existsSync(place.path('backups'))).toBe(false);
  expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
  expect(await filesIn(place.path('state', 'lock'))).toEqual({});
  expect(processesOf(place)).toEqual([]);
}

describe('tune', () => {
  test('tries the usual levels, recommends one, and a run with the line that it prints stores what it said', async () => {
    await place.configure(base + disk + job);
    const run = expectCode(await place.run('tune', 'shop', '--json', '--patience', '10s'), 0);
    const found = result(run);
    await expectNothingLeft();
    expect(found.whole).toBe(true);
    expect(found.sampleBytes).toBe(found.readBytes);
    expect(new Set(found.candidates.map(({ type }) => type))).toEqual(
      new Set(['none', 'gzip', 'brotli', 'zstd', 'bzip2']),
    );
    const { type, level, yaml } = found.recommendation;
    await place.configure(base + disk + job.replace('destinations: disk', `destinations: disk, ${yaml}`));
    const [stored] = events<{ storedBytes: number; rawBytes: number }>(
      expectCode(await place.run('run', 'shop', '--json'), 0),
      'result',
    );
    const said = found.candidates.find((each) => each.type === type && each.level === level);
    expect(stored?.rawBytes).toBe(found.totalBytes);
    expect(Math.abs((stored?.storedBytes ?? 0) / (said?.storedBytes ?? 1) - 1)).toBeLessThan(0.01);
    expect((await historyOf(place)).map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'backup completed',
      'tune completed',
    ]);
  });

  test('says in words what was measured, what limits, and what to write where', async () => {
    await place.configure(base + disk.replace('./backups', './backups, limit: 10KB/s') + job);
    const { stdout } = expectCode(await place.run('tune', 'shop', '--codec', 'none'), 0);
    expect(stdout).toMatch(/^dump: \d.* read at .*B\/s \(all of it\)$/m);
    expect(stdout).toMatch(/^none +- +1\.00 +0% +.*the destination$/m);
    expect(stdout).toMatch(/^zstd +3 .*← the job now$/m);
    expect(stdout).toMatch(/^recommended: zstd 3, the destination is what takes the time/m);
    expect(stdout).toMatch(/the job has it already/);
  });

  test('reads an endless dump for as long as it may, keeps a spread sample, and ends the tool', async () => {
    await place.configure(endless + disk + job);
    const args = ['--reading-time', '500ms', '--sample', '1MiB', '--codec', 'none', '--json'];
    const found = result(expectCode(await place.run('tune', 'shop', ...args), 0));
    await expectNothingLeft();
    expect(found.whole).toBe(false);
    expect(found.readBytes).toBeGreaterThan(2 ** 20);
    expect(found.sampleBytes).toBeLessThanOrEqual(2 ** 20);
  });

  test('an encrypted job is tried with its encryption; a missing program and a slow level are told', async () => {
    const { stdout } = expectCode(await place.run('keygen', 'own.agekey'), 0);
    const encryption = `encryption: { main: { type: age, recipients: [${/age1\w+/.exec(stdout)?.[0]}] } }\n`;
    await place.configure(base + disk + encryption + job.replace('disk }', 'disk, encryption: main }'));
    place.env['PATH'] = place.folder;
    const args = ['--codec', 'none', '--codec', 'bzip2', '--json'];
    const found = result(expectCode(await place.run('tune', 'shop', ...args), 0));
    const none = found.candidates.find(({ type }) => type === 'none');
    expect(none?.storedBytes).toBeGreaterThan(found.totalBytes);
    expect(found.candidates.filter(({ type }) => type === 'bzip2').map(({ notTried }) => notTried)).toEqual(
      Array.from({ length: 9 }, () => expect.stringMatching(/needs the program.*apt-get install lbzip2/)),
    );
  });

  test('Ctrl-C leaves nothing: no sample, no tool, no lock', async () => {
    await place.configure(endless + disk + job);
    const { child, ended } = place.start(['tune', 'shop', '--whole']);
    const sample = () => {
      const root = place.path('state', 'tmp');
      return existsSync(root) && readdirSync(root, { recursive: true }).some((each) => `${each}`.endsWith('sample'));
    };
    for (const deadline = Date.now() + 20_000; !sample() && Date.now() < deadline; await delay(20));
    expect(sample()).toBe(true);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    await expectNothingLeft();
    expect((await historyOf(place))[0]).toMatchObject({ kind: 'tune', status: 'cancelled' });
  });

  test.each([
    [['shpo'], /Did you mean "shop"/],
    [['shop', '--codec', 'zip'], /expected one of none, gzip, brotli, zstd, bzip2/],
    [['shop', '--sample', '12'], /64MiB/],
    [['shop', '--reading-time', '5'], /90s/],
    [['shop', '--upload', 'fast'], /10MB\/s/],
    [['shop', '--prefer', 'all'], /--prefer all: expected one of balance, size, speed/],
  ])('refuses %j', async (args, message) => {
    await place.configure(base + disk + job);
    expect(expectCode(await runInProcess(place, {}, 'tune', ...args), 2).stderr).toMatch(message);
    expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
  });

  test('an empty dump and one that fails are told as such', async () => {
    await place.configure(endless.replace(/\[sh.*\]/, "['true']") + disk + job);
    expect(expectCode(await place.run('tune', 'shop'), 3).stderr).toMatch(/not one byte|empty/);
    await place.configure(endless.replace(/\[sh.*\]/, "[sh, -c, 'seq 1 9999; exit 3']") + disk + job);
    expect(expectCode(await place.run('tune', 'shop'), 3).stderr).toMatch(/dump of .* failed/);
    await expectNothingLeft();
  });
});
