/** Redis with the built program: there and back, directly and behind a prefix that knows nothing of our environment. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fingerprintOf, type RedisServer, startRedis } from '../servers/redis.ts';
import { fillLarge, fillNasty } from '../servers/redis-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

const password = 'Canary-7e3a \'"$(x)';

/** Command lines of all that lives; of this test's own, because others have other passwords. */
function lines(text: string): readonly string[] {
  const all = execFileSync('ps', ['-eww', '-o', 'stat=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(text) && !line.startsWith('Z'));
}

/** Runs to the end while the table of processes is sampled for the password. */
async function unseen(place: Workplace, args: readonly string[]): Promise<Run> {
  const { ended } = place.start(args);
  for (let over = false; !over; ) {
    expect(lines('Canary-7e3a')).toEqual([]);
    over = await Promise.race([ended.then(() => true), new Promise<boolean>((done) => setTimeout(done, 20, false))]);
  }
  return await ended;
}

describe.each(['directly', 'behind env'] as const)('redis %s', (way) => {
  let place: Workplace;
  let [from, to, large]: RedisServer[] = [];
  let original: unknown;
  beforeAll(async () => {
    [from, to, large] = await Promise.all([
      startRedis({ password }),
      startRedis({ password }),
      startRedis({ password }),
    ]);
    original = await fillNasty(from).then(() => fingerprintOf(from as RedisServer));
    await fillLarge(large);
    place = await makeWorkplace({ CACHE_PASSWORD: password });
    const words = JSON.stringify(['env', '-i', `PATH=${process.env['PATH']}`]);
    const prefix = way === 'directly' ? '' : `, prefix: ${words}`;
    const source = (name: string, of: RedisServer) => `
  ${name}: { type: redis, host: 127.0.0.1, port: ${of.port}, password: "\${CACHE_PASSWORD}"${prefix} }`;
    await place.configure(`
sources:${source('cache', from)}${source('back', to)}${source('large', large)}
destinations:
  disk: { type: local, path: backups }
  slow: { type: local, path: backups, limit: 200KB/s }
jobs:
  cache: { source: cache, destinations: disk }
  slow: { source: large, destinations: slow, compression: none }
  large: { source: large, destinations: disk }
`);
  });
  afterAll(async () => {
    await place?.remove();
    await Promise.all([from?.stop(), to?.stop(), large?.stop()]);
  });

  test('goes there and back, and nobody sees the password', async () => {
    const server = to as RedisServer;
    const ran = expectCode(await unseen(place, ['run', 'cache', '--json']), 0);
    const restored = expectCode(await unseen(place, ['restore', 'cache@latest', '--to', 'back']), 0);
    expect(await fingerprintOf(server)).toEqual(original);
    const checked = expectCode(await place.run('check', '--source', 'cache'), 0);
    for (const said of [ran, restored, checked]) expect(said.stdout + said.stderr).not.toContain('Canary');
  });

  test.runIf(way === 'directly')('verify reads it, and the sidecar tells what is in it', async () => {
    expectCode(await place.run('verify', 'cache@latest'), 0);
    const shown = expectCode(await place.run('show', 'cache@latest', '--json'), 0);
    expect(shown.stdout).not.toContain('Canary');
    expect(events(shown)[0]).toMatchObject({
      sidecar: {
        source: {
          type: 'redis',
          serverVersion: expect.stringMatching(/^Redis 7/),
          tool: expect.stringMatching(/^redis-cli 7/),
          databases: ['db0', 'db3', 'db15'],
        },
        contents: [{ tables: { db3: 2, db15: 2, functions: 1 }, properties: { rdbVersion: 10, checksum: 'crc64' } }],
      },
    });
  });

  test.runIf(way === 'directly')('F40 what is there is replaced as a whole, and only when that is said', async () => {
    const server = to as RedisServer;
    await server.askAll([
      ['SET', 'mine', '1'],
      ['SELECT', 9],
      ['SET', 'mine', '1'],
      ['SELECT', 0],
    ]);
    expect(expectCode(await place.run('restore', 'cache@latest', '--to', 'back'), 3).stderr).toContain('already holds');
    expectCode(await place.run('restore', 'cache@latest', '--to', 'back', '--clean'), 2);
    expectCode(await place.run('restore', 'cache@latest', '--to', 'back', '--clean', '--yes'), 0);
    expect(await fingerprintOf(server)).toEqual(original);
  });

  test('F23 whatever ends a run ends the client, and nothing is published', async () => {
    const signal = way === 'directly' ? 'SIGTERM' : 'SIGKILL';
    const client = `-p ${large?.port} --rdb -`;
    const before = (await backupsOf(place)).length;
    const { child, ended } = place.start(['run', 'slow']);
    await vi.waitUntil(() => lines(client).length > 0, { timeout: 30_000, interval: 20 });
    child.kill(signal);
    expect((await ended).code).toBe(signal === 'SIGTERM' ? 143 : null);
    await vi.waitUntil(() => lines(client).length === 0, { timeout: 30_000, interval: 50 });
    expect((await backupsOf(place)).length).toBe(before);
  });

  test.runIf(way === 'directly')('F23 SIGTERM in the middle of a restore leaves the target as it was', async () => {
    const server = to as RedisServer;
    const before = await fingerprintOf(server);
    expectCode(await place.run('run', 'large'), 0);
    const { child, ended } = place.start(['restore', 'large@latest', '--to', 'back', '--clean', '--yes']);
    // The first of the new keys lie in the highest databases that are unused.
    const isLoading = async () => /^db14:keys=\d/m.test(String(await server.ask('INFO', 'keyspace')));
    await vi.waitUntil(isLoading, { timeout: 30_000, interval: 1 });
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    expect(await fingerprintOf(server)).toEqual(before);
  });
});

describe('a Redis backup alone', () => {
  let place: Workplace;
  let server: RedisServer;
  let original: unknown;
  let stored: string;
  beforeAll(async () => {
    server = await startRedis({ password });
    await fillNasty(server);
    original = await fingerprintOf(server);
    place = await makeWorkplace({ REDISCLI_AUTH: password });
    await place.configure(`
sources: { cache: { type: redis, url: "redis://127.0.0.1:${server.port}" } }
destinations: { disk: { type: local, path: backups } }
jobs: { cache: { source: cache, destinations: disk } }
`);
    expectCode(await place.run('run', 'cache'), 0);
    stored = place.path('backups', (await backupsOf(place))[0]?.key ?? '');
  });
  afterAll(async () => {
    await place?.remove();
    await server?.stop();
  });

  test('is restored from its bare file by a path or a URL, without a config', async () => {
    const bare = place.path(basename(stored));
    await copyFile(stored, bare);
    await mkdir(place.path('data'));
    const elsewhere = await startRedis({ password });
    try {
      const { stderr } = expectCode(await place.run('restore', bare, '--to', './data'), 0);
      expect(stderr).toContain('appendonly');
      expect(await readdir(place.path('data'))).toEqual(['dump.rdb']);
      expectCode(await place.run('restore', bare, '--to', `redis://127.0.0.1:${elsewhere.port}`), 0);
      expect(await fingerprintOf(elsewhere)).toEqual(original);
      const inUse = expectCode(await place.run('restore', bare, '--to', elsewhere.folder), 3);
      expect(inUse.stderr).toMatch(/the server redis-server.* works in/);
    } finally {
      await elsewhere.stop();
    }
    const loaded = await startRedis({ folder: place.path('data') });
    expect(await fingerprintOf(loaded)).toEqual(original);
    await loaded.stop();
  });

  test.runIf(mayIsolate())('its recovery lines bring it back on a Debian with its own redis-server', async () => {
    const machine = place.path('machine');
    await mkdir(machine);
    await copyFile(stored, join(machine, basename(stored)));
    const { recover } = JSON.parse(await readFile(`${stored}.meta.json`, 'utf8')) as { recover: string[] };
    expect(recover.find((line) => line.startsWith('apt-get'))).toContain('redis-server');
    const script = [
      ...['/var/lib/redis', '/var/log/redis'].map(isolated),
      'mount -t tmpfs tmpfs /run',
      'ip link set lo up',
      'service redis-server start',
      ...recover.filter((line) => !line.startsWith('apt-get')),
      'until redis-cli ping | grep -q PONG; do sleep 0.05; done',
      `test "$(redis-cli get last)" = '' && test "$(redis-cli -n 15 get last)" = 1`,
      'service redis-server stop && cp /var/lib/redis/dump.rdb after.rdb',
    ];
    await writeFile(join(machine, 'lines.sh'), `${script.join('\n')}\n`);
    const { PATH } = process.env;
    const run = spawnSync('unshare', ['-m', '-n', 'timeout', '50', 'sh', '-e', 'lines.sh'], {
      cwd: machine,
      env: { PATH },
      encoding: 'utf8',
    });
    expect([run.stdout + run.stderr, run.status]).toEqual([expect.any(String), 0]);
    await mkdir(join(machine, 'loaded'));
    await copyFile(join(machine, 'after.rdb'), join(machine, 'loaded', 'dump.rdb'));
    const loaded = await startRedis({ folder: join(machine, 'loaded') });
    expect(await fingerprintOf(loaded)).toEqual(original);
    await loaded.stop();
  });
});

/** Folders and ports of the machine's own server, seen by nobody but this test. */
function isolated(folder: string): string {
  return `mount -t tmpfs tmpfs ${folder} && chown redis:redis ${folder}`;
}

function mayIsolate(): boolean {
  return spawnSync('unshare', ['-m', '-n', 'true']).status === 0;
}
