/** The real daemon: its clock, its signals, its history. What it does over weeks is in test/unit/schedule. */
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeProgram } from '../scripted-dump/fake-program.ts';
import { historyOf, processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

let place: Workplace;
let daemons: { child: ChildProcess; ended: Promise<Run> }[] = [];
beforeEach(async () => {
  place = await makeWorkplace();
  execFileSync('sqlite3', [place.path('shop.sqlite'), 'CREATE TABLE t(x); INSERT INTO t VALUES (42)']);
});
afterEach(async () => {
  for (const { child, ended } of daemons) {
    child.kill('SIGKILL');
    await ended;
  }
  daemons = [];
  await place.remove();
});

const config = (...jobs: string[]) => `sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups } }
jobs:
${jobs.map((job) => `  ${job}\n`).join('')}`;
const every = (name: string, schedule: string) =>
  `${name}: { source: shop, destinations: disk, schedule: ${schedule} }`;

interface Daemon {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
  /** Resolves when it has told such an event. */
  told(type: string, about?: Record<string, unknown>): Promise<Record<string, unknown>>;
  heard(): readonly Record<string, unknown>[];
}

function start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Daemon {
  const daemon = place.start(['daemon', '--json', ...args], env);
  daemons.push(daemon);
  let text = '';
  daemon.child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const heard = () => {
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const told = (type: string, about = {}) =>
    vi.waitFor(
      () => {
        const found = heard().find((event) => event['type'] === type && matches(event, about));
        if (found === undefined) throw new Error(`no ${type}:\n${text}`);
        return found;
      },
      { timeout: 20_000, interval: 50 },
    );
  return { ...daemon, told, heard };
}

function matches(event: Record<string, unknown>, about: Record<string, unknown>): boolean {
  return Object.entries(about).every(([key, value]) => event[key] === value);
}

async function stop({ child, ended }: Daemon, signal: NodeJS.Signals = 'SIGTERM'): Promise<Run> {
  child.kill(signal);
  return ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a daemon', () => {
  test('runs jobs at their times, takes a new config on SIGHUP, tells its health, and ends with 0', async () => {
    await place.configure(config(every('shop', '{ every: 1s }')));
    const port = await freePort();
    const daemon = start(['--health-port', String(port)]);
    await daemon.told('result', { job: 'shop' });
    const health = await fetch(`http://127.0.0.1:${port}/jobs`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'ok', failing: [], jobs: [{ job: 'shop', lastExitCode: 0 }] });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/health`, { method: 'POST' })).status).toBe(405);

    await place.configure(config(every('shop', '{ cron: "0 0 31 2 *" }')));
    daemon.child.kill('SIGHUP');
    const refused = (await daemon.told('error')) as { error?: { message?: string; causes?: string[] } };
    expect(refused.error?.message).toMatch(/the one before stays in force/);
    expect(refused.error?.causes?.join()).toMatch(/never fires/);
    const before = daemon.heard().filter(({ type }) => type === 'result').length;
    await vi.waitFor(
      () => expect(daemon.heard().filter(({ type }) => type === 'result').length).toBeGreaterThan(before),
      {
        timeout: 30_000,
      },
    );

    await place.configure(
      config(`broken: { source: gone, destinations: disk, schedule: { every: 1s } }`)
        .replace('{ shop:', '{ gone:')
        .replace('./shop', './gone'),
    );
    daemon.child.kill('SIGHUP');
    await daemon.told('removed', { job: 'shop' });
    await daemon.told('error', { job: 'broken' });
    const failing = await fetch(`http://127.0.0.1:${port}/jobs`);
    expect([failing.status, await failing.json()]).toMatchObject([503, { status: 'failing', failing: ['broken'] }]);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);

    const end = expectCode(await stop(daemon), 0);
    expect(end.stderr).toMatch(/^\d{4}-\d\d-\d\dT\S+Z error /m);
    const runs = await historyOf(place);
    expect(runs.find(({ job }) => job === 'shop')).toMatchObject({ status: 'completed', trigger: 'daemon' });
    expect(daemon.heard().every(({ time }) => typeof time === 'string')).toBe(true);
  });

  test('a good backup with a failed hook beside it is no good health, as it is no 0 of run', async () => {
    await place.configure(config(every('shop', '{ every: 1s }, hooks: { onSuccess: "false" }')));
    const port = await freePort();
    const daemon = start(['--health-port', String(port)]);
    await daemon.told('result', { job: 'shop' });
    const health = await fetch(`http://127.0.0.1:${port}/jobs`);
    expect([health.status, await health.json()]).toMatchObject([
      503,
      { status: 'failing', failing: ['shop'], jobs: [{ job: 'shop', lastExitCode: 8 }] },
    ]);
    await stop(daemon);
    expectCode(await place.run('run', 'shop'), 8);
  });

  test('SIGTERM ends a running backup in good order; the next daemon makes up for it once', async () => {
    const slow = await slowDump();
    await place.configure(
      config('shop: { source: shop, destinations: disk, format: sql, schedule: { cron: "0 0 29 2 *" } }'),
    );
    // A run that is cut is missed: so nobody need wait for its time.
    const first = place.start(['run', 'shop'], slow);
    daemons.push(first);
    await vi.waitFor(() => expect(processesOf(place).length).toBeGreaterThan(1), { timeout: 30_000 });
    first.child.kill('SIGKILL');
    await first.ended;

    const daemon = start([], slow);
    await daemon.told('missed', { job: 'shop' });
    await daemon.told('step', { subject: 'shop', step: 'dump' });
    const end = expectCode(await stop(daemon), 0);
    expect(end.stdout).toContain('"type":"stopping"');
    expect((await historyOf(place)).map(({ status }) => status)).toEqual(['cancelled', 'interrupted']);
    await vi.waitFor(() => expect(processesOf(place)).toEqual([]));

    // Cut twice: not a third time.
    const again = start();
    await again.told('scheduled', { job: 'shop' });
    expectCode(await stop(again, 'SIGINT'), 0);
    expect(await historyOf(place)).toHaveLength(2);
  });

  test.each([
    ['nothing to do', config('shop: { source: shop, destinations: disk }'), [], /no enabled job .* has a schedule/],
    [
      'a port that is no port',
      config(every('shop', '{ every: 1h }')),
      ['--health-port', '99999'],
      /a port is a number/,
    ],
    [
      'a wrong config',
      config(every('shop', '{ every: 1h, timezone: Mars/Olympus }')),
      [],
      /jobs\.shop\.schedule\.timezone/,
    ],
  ])('does not start with %s', async (_, yaml, args, message) => {
    await place.configure(yaml);
    const refused = expectCode(await place.run('daemon', ...args), 2);
    expect(refused.stderr).toMatch(message);
  });
});

/** A `sqlite3` whose dumps take ten seconds. */
async function slowDump(): Promise<NodeJS.ProcessEnv> {
  await mkdir(place.path('bin'), { recursive: true });
  const PATH = await fakeProgram(place.path('bin'), 'sqlite3');
  return { PATH, DUMP_VERSION: '3.46.0', DUMP_TRAILER: '\nCOMMIT;\n', DUMP_BYTES: '4000000', DUMP_SLOW_MS: '250' };
}
