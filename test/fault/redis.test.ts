/** Faults around Redis: its client, its snapshot, the server that a restore goes into. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Crc64 } from '../../src/source/redis/crc64.ts';
import { redisType } from '../../src/source/redis/redis.ts';
import type { Source } from '../../src/source/source.ts';
import { dumpToFile, restoreFile, restoreOptions, startDump } from '../contract/source/dump-and-restore.ts';
import { type TestContext, withContext } from '../contract/source/test-context.ts';
import { fingerprintOf, type RedisServer, type RedisSettings, startRedis } from '../servers/redis.ts';
import { startRedisCommandProxy } from '../servers/redis-command-proxy.ts';
import { fillLarge, fillNasty } from '../servers/redis-nasty.ts';
import { startTcpFaultProxy } from '../servers/tcp-fault-proxy.ts';

const [format = { name: '', extension: '', restoreFrom: 'file', restoreTables: false, parallelRestore: false }] =
  redisType.capabilities().formats;

/** How much of the way a restore gets; more of them, anywhere, in a campaign. */
const cuts = Number(process.env['DBBACKUP_TEST_CUTS'] ?? 3);
const seed = Number(process.env['DBBACKUP_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const parts = [0.02, 0.5, 0.98, ...Array.from({ length: cuts - 3 }, (_, at) => ((seed / 2 ** 31 + at) * 0.618034) % 1)];
if (cuts > 3) process.stdout.write(`DBBACKUP_TEST_SEED=${seed}\n`);

let folder: string;
let from: RedisServer;
/** A whole dump of `from`, and what is in it. */
let rdb: string;
let original: unknown;
const passing: RedisServer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbb-redis-fault-'));
  from = await startRedis();
  await fillNasty(from);
  original = await fingerprintOf(from);
  rdb = join(folder, 'whole.rdb');
  await withContext(async (context) => {
    await writeFile(rdb, await readFile((await dumpToFile(source(from), format, context)).path));
  });
});
afterEach(async () => {
  await Promise.all(passing.splice(0).map((server) => server.stop()));
});
afterAll(async () => {
  await from?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function server(settings?: RedisSettings): Promise<RedisServer> {
  const started = await startRedis(settings);
  passing.push(started);
  return started;
}

function source(of: RedisServer, more: object = {}): Source {
  return redisType.open({ url: of.url(), ...more }, folder);
}

/** What the dump's stream ends with when it does not end well. */
async function failureOf(of: Source, context: TestContext): Promise<unknown> {
  try {
    for await (const _chunk of (await startDump(of, format, context)).stream);
  } catch (error) {
    return error;
  }
  throw new Error('the dump ended as if it were whole');
}

let clients = 0;

/** A folder with a redis-cli of ours; `$REAL` is the real one. It does so for the dump, and is honest otherwise. */
async function clientThat(script: string): Promise<string> {
  clients += 1;
  const place = join(folder, `client ${clients}`);
  await mkdir(place);
  const path = join(place, 'redis-cli');
  const text = `#!/bin/sh\nREAL=/usr/bin/redis-cli\ncase "$*" in *--rdb*) ;; *) exec $REAL "$@";; esac\n${script}\n`;
  await writeFile(path, text);
  await chmod(path, 0o755);
  return place;
}

describe('the dump of a Redis', () => {
  test('F01 a client that is missing is named', async () => {
    await withContext(async (context) => {
      const missing = source(from, { clientFolder: folder });
      await expect(missing.inspect(context)).rejects.toMatchObject({
        code: 'TOOL_MISSING',
        hint: expect.stringContaining('redis-tools'),
      });
    });
  });

  test('F03 a wrong password fails at once, in every way', async () => {
    await withContext(async (context) => {
      for (const more of [{ password: 'wrong' }, { user: 'nobody', password: 'Pw-redis' }]) {
        const wrong = source(from, more);
        await expect(wrong.inspect(context)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
        expect(await failureOf(wrong, context)).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
        await expect(restoreFile(wrong, format, rdb, context)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
      }
    });
  });

  test('a server that is not there is told with a way out', async () => {
    const gone = await server();
    await gone.stop();
    await withContext(async (context) => {
      await expect(source(gone).inspect(context)).rejects.toMatchObject({ code: 'SOURCE_FAILED', retryable: true });
    });
  });

  test('F04, F08 a connection that is lost, or stalls, fails the dump', async () => {
    const large = await server();
    await fillLarge(large);
    const proxy = await startTcpFaultProxy(large.port);
    try {
      await withContext(async (context) => {
        const through = source(large, { port: proxy.port });
        proxy.dropAfter(3_000_000, 'to-client');
        expect(await failureOf(through, context)).toMatchObject({ message: expect.stringContaining('the dump of') });
        const release = proxy.stall();
        const stalled = await failureOf(through, { ...context, idleTimeoutMs: 300 });
        expect(stalled).toMatchObject({ code: 'TIMEOUT' });
        release();
      });
    } finally {
      await proxy.close();
    }
  });

  test.each([
    ['F05 writes nothing and exits 0', 'exit 0', 'DUMP_EMPTY'],
    ['exits 0 after half of it', '$REAL "$@" | head -c 100000; exit 0', 'DUMP_INCOMPLETE'],
    ['F06 is killed after half of it', '$REAL "$@" | head -c 100000; kill -9 $$', 'TOOL_FAILED'],
    ['writes all of it and then fails', '$REAL "$@"; exit 3', 'TOOL_FAILED'],
    ['writes all of it and more', '$REAL "$@"; echo more', 'DUMP_INCOMPLETE'],
    ['loses one byte', '$REAL "$@" | { head -c 50000; head -c 1 >/dev/null; cat; }', 'DUMP_INCOMPLETE'],
  ])('a client that %s makes no dump', async (_what, script, code) => {
    const clientFolder = await clientThat(script);
    await withContext(async (context) => {
      expect(await failureOf(source(from, { clientFolder }), context)).toMatchObject({ code });
    });
  });

  test('a snapshot that the server writes to its disk first is the same', async () => {
    const disk = await server({ lines: ['repl-diskless-sync no'] });
    await fillNasty(disk);
    await withContext(async (context) => {
      const { path } = await dumpToFile(source(disk), format, context);
      // Neither has the mark that the client leaves behind a snapshot of unknown length.
      for (const each of [path, rdb]) expect((await readFile(each)).at(-9)).toBe(0xff);
    });
  });

  test('without checksums it is read to its end mark, and the sidecar says so', async () => {
    const unchecked = await server({ lines: ['rdbchecksum no'] });
    await fillNasty(unchecked);
    await withContext(async (context) => {
      const { path, contents } = await dumpToFile(source(unchecked), format, context);
      expect((await readFile(path)).subarray(-8)).toEqual(Buffer.alloc(8));
      expect(contents[0]?.properties).toMatchObject({ checksum: 'none', rdbVersion: 10 });
      const clientFolder = await clientThat('$REAL "$@" | head -c -60');
      expect(await failureOf(source(unchecked, { clientFolder }), context)).toMatchObject({ code: 'DUMP_INCOMPLETE' });
    });
  });

  test('a type that nobody knows passes by its checksum, uncounted', async () => {
    await writeFile(join(folder, 'unknown.rdb'), await unknownType());
    const mark = '0123456789abcdef0123456789abcdef01234567';
    const clientFolder = await clientThat(`cat '${folder}/unknown.rdb'; printf ${mark}`);
    const damaging = await clientThat(`tr V v < '${folder}/unknown.rdb'`);
    await withContext(async (context) => {
      const { path, contents } = await dumpToFile(source(from, { clientFolder }), format, context);
      expect(await readFile(path)).toEqual(await unknownType());
      expect(contents[0]?.tables).toEqual({ db0: null });
      expect(context.lines.join()).toContain('a value of type 99');
      expect(await failureOf(source(from, { clientFolder: damaging }), context)).toMatchObject({
        code: 'DUMP_INCOMPLETE',
      });
      const target = await server();
      await expect(restoreFile(source(target), format, path, context)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    });
  });

  test('a user needs SYNC, and check names what is missing', async () => {
    const strict = await server();
    await strict.ask('ACL', 'SETUSER', 'weak', 'on', '>Pw-redis', '~*', '+info', '+acl|whoami', '+acl|dryrun');
    await withContext(async (context) => {
      const weak = source(strict, { user: 'weak', password: 'Pw-redis' });
      expect(await failureOf(weak, context)).toMatchObject({
        code: 'SOURCE_FAILED',
        hint: expect.stringContaining('+sync'),
      });
      const checking = { ...context, formats: [], filtered: false };
      const failed: unknown[] = [];
      for await (const finding of weak.check?.(checking) ?? []) if (finding.severity !== 'ok') failed.push(finding);
      expect(failed).toEqual([expect.objectContaining({ severity: 'fail', wayOut: expect.stringContaining('+sync') })]);
      await strict.ask('ACL', 'SETUSER', 'weak', '+sync', '+replconf');
      await dumpToFile(weak, format, context);
    });
  });

  test('a cluster is refused', async () => {
    const node = await server({ lines: ['cluster-enabled yes'] });
    await withContext(async (context) => {
      await expect(source(node).inspect(context)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await expect(restoreFile(source(node), format, rdb, context)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    });
  });
});

/** Version 10, a key `a`, and a key `k` of a type 99 that Redis does not have. */
async function unknownType(): Promise<Buffer> {
  const body = Buffer.from('REDIS0010\xfe\x00\x00\x01a\x01b\x63\x01kVery strange\xff', 'latin1');
  return Buffer.concat([body, new Crc64().update(body).digest()]);
}

describe('the restore into a running Redis', () => {
  test.each(parts)('F40 a connection lost after %f of it leaves the old data', async (part) => {
    const target = await server();
    await target.askAll([
      ['SET', 'old', '1'],
      ['SELECT', 5],
      ['RPUSH', 'old list', 'a', 'b'],
      ['SELECT', 0],
    ]);
    await target.ask('FUNCTION', 'LOAD', "#!lua name=old\nredis.register_function('o', function() return 1 end)");
    const before = await fingerprintOf(target);
    const proxy = await startTcpFaultProxy(target.port);
    try {
      await withContext(async (context) => {
        const through = source(target, { port: proxy.port });
        proxy.dropAfter(Math.floor((await readFile(rdb)).length * part), 'to-server');
        await expect(restoreFile(through, format, rdb, context, true)).rejects.toThrow();
        expect(context.lines).toEqual([]);
      });
      expect(await fingerprintOf(target)).toEqual(before);
    } finally {
      await proxy.close();
    }
  });

  test('without unused databases an empty server is loaded, emptied after a failure, and nothing is replaced', async () => {
    const target = await server({ lines: ['databases 16'] });
    const nine = await server();
    for (let database = 0; database < 9; database += 1)
      await nine.askAll([
        ['SELECT', database],
        ['SET', 'k', database],
      ]);
    await withContext(async (context) => {
      const dump = (await dumpToFile(source(nine), format, context)).path;
      let restores = 0;
      const proxy = await startRedisCommandProxy(target.port, (name) =>
        name === 'RESTORE' && ++restores === 5 ? 'before' : 'pass',
      );
      await expect(restoreFile(source(target, { port: proxy.port }), format, dump, context)).rejects.toThrow();
      expect(context.lines).toEqual([]);
      await proxy.close();
      expect((await source(target).examineTarget(restoreOptions(format, false), context)).hasData).toBe(false);
      await restoreFile(source(target), format, dump, context);
      expect(await fingerprintOf(target)).toEqual(await fingerprintOf(nine));
      await expect(restoreFile(source(target), format, dump, context, true)).rejects.toMatchObject({
        code: 'TARGET_FAILED',
        message: expect.stringContaining('7 unused databases; 9 are needed'),
      });
    });
  });

  test('a server with fewer databases than the backup is refused', async () => {
    const target = await server({ lines: ['databases 4'] });
    await withContext(async (context) => {
      await expect(restoreFile(source(target), format, rdb, context)).rejects.toThrow('has only 4');
    });
  });

  test.each([
    'noeviction',
    'allkeys-lru',
  ])('a server too small (%s) is refused before a key is lost', async (policy) => {
    const target = await server({ lines: ['maxmemory 4mb', `maxmemory-policy ${policy}`] });
    await target.ask('SET', 'old', '1');
    const before = await fingerprintOf(target);
    await withContext(async (context) => {
      await expect(restoreFile(source(target), format, rdb, context, true)).rejects.toThrow('too little memory');
    });
    expect(await fingerprintOf(target)).toEqual(before);
  });

  test('the first error of the server ends it', async () => {
    const target = await server();
    await target.ask('SET', 'old', '1');
    const before = await fingerprintOf(target);
    await withContext(async (context) => {
      // A set of integers that is none: the file is whole, its checksum right, and no server takes it.
      const body = Buffer.from('REDIS0010\xfe\x00\x0b\x01k\x03abc\x00\x01a\x01b\xff', 'latin1');
      const path = join(folder, 'senseless.rdb');
      await writeFile(path, Buffer.concat([body, new Crc64().update(body).digest()]));
      await expect(restoreFile(source(target), format, path, context, true)).rejects.toMatchObject({
        code: 'TARGET_FAILED',
        message: expect.stringContaining('Bad data format'),
      });
    });
    expect(await fingerprintOf(target)).toEqual(before);
  });

  test('rights that are missing are told before anything is done', async () => {
    const target = await server();
    await target.ask('ACL', 'SETUSER', 'weak', 'on', '>Pw-redis', '~*', '+info', '+select');
    await withContext(async (context) => {
      const weak = source(target, { user: 'weak', password: 'Pw-redis' });
      await expect(restoreFile(weak, format, rdb, context)).rejects.toThrow('does not allow RESTORE, FLUSHDB, ECHO');
      await target.ask('ACL', 'SETUSER', 'weak', '+@write', '+restore', '+flushdb', '+echo', '+function', '-swapdb');
      // Without SWAPDB it is loaded where it belongs.
      await restoreFile(weak, format, rdb, context);
      expect(await fingerprintOf(target)).toEqual(original);
    });
  });

  test('a server that tells little, and has one database, is loaded', async () => {
    const [one, target] = [await server(), await server({ lines: ['databases 1'] })];
    await one.ask('SET', 'k', 'v');
    await target.ask('ACL', 'SETUSER', 'weak', 'on', '>Pw-redis', '~*', '+@all', '-@admin', '-@dangerous');
    await target.ask('ACL', 'SETUSER', 'weak', '+info', '+restore', '+flushdb', '+swapdb');
    await withContext(async (context) => {
      const { path } = await dumpToFile(source(one), format, context);
      await restoreFile(source(target, { user: 'weak', password: 'Pw-redis' }), format, path, context);
    });
    expect(await target.ask('DBSIZE')).toBe(1);
  });

  test('a replica is refused', async () => {
    const target = await server();
    await target.ask('REPLICAOF', '127.0.0.1', from.port);
    await withContext(async (context) => {
      await expect(restoreFile(source(target), format, rdb, context)).rejects.toThrow('is a replica');
    });
  });

  test('a socket, and TLS with and without a certificate that is known', async () => {
    const { execFileSync } = await import('node:child_process');
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', certificate];
    execFileSync('openssl', [...made, ...subject], { stdio: 'ignore' });
    const { freePort } = await import('../servers/postgres.ts');
    const port = await freePort();
    const tls = [`tls-port ${port}`, `tls-cert-file ${certificate}`, `tls-key-file ${key}`, 'tls-auth-clients no'];
    const target = await server({ lines: [...tls, `tls-ca-cert-file ${certificate}`] });
    await withContext(async (context) => {
      const url = `rediss://:Pw-redis@127.0.0.1:${port}`;
      const known = redisType.open({ url, tlsCa: certificate }, folder);
      await restoreFile(known, format, rdb, context);
      expect(await fingerprintOf(target)).toEqual(original);
      await expect(redisType.open({ url }, folder).inspect(context)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
      await redisType.open({ url, tls: 'require' }, folder).inspect(context);
      const { socket, password } = target;
      await dumpToFile(redisType.open({ socket, password }, folder), format, context);
    });
  });
});

async function severities(of: Source, context: TestContext): Promise<string[]> {
  const found: string[] = [];
  for await (const { severity } of of.check?.({ ...context, formats: [], filtered: false }) ?? []) found.push(severity);
  return found;
}

describe('the restore into a data folder', () => {
  async function dataFolder(): Promise<string> {
    const place = await mkdtemp(join(folder, 'data-'));
    await chmod(place, 0o750);
    return place;
  }

  test('a server that starts there has everything', async () => {
    const place = await dataFolder();
    await withContext(async (context) => {
      const target = redisType.open({ dataFolder: place }, '/');
      const [streamed] = redisType.capabilities({ dataFolder: place }).formats;
      expect(streamed?.restoreFrom).toBe('stream');
      const outcome = await restoreFile(target, streamed ?? format, rdb, context);
      expect(outcome.label).toBe(join(place, 'dump.rdb'));
      const started = await server({ folder: place });
      expect(await fingerprintOf(started)).toEqual(original);
      // F40, while it runs and afterwards.
      await expect(restoreFile(target, format, rdb, context, true)).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
      expect(await severities(target, context)).toEqual(['info']);
      await started.shutDown();
      expect(await severities(target, context)).toEqual(['ok']);
      await expect(restoreFile(target, format, rdb, context)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      await restoreFile(target, format, rdb, context, true);
    });
  });

  test('append-only files would hide it: refused, as the server itself shows', async () => {
    const place = await dataFolder();
    const appending = await server({ folder: place, lines: ['appendonly yes'] });
    await appending.ask('SET', 'old', '1');
    await appending.shutDown();
    await withContext(async (context) => {
      const target = redisType.open({ dataFolder: place }, '/');
      await expect(restoreFile(target, format, rdb, context, true)).rejects.toThrow(/appendonlydir instead/);
      // And without them it does not load the file either, which the warning says.
      await rm(join(place, 'appendonlydir'), { recursive: true });
      const { warnings } = await restoreFile(target, format, rdb, context, true);
      expect(warnings.join()).toContain('appendonly');
    });
    const deaf = await server({ folder: place, lines: ['appendonly yes'] });
    expect(await deaf.ask('DBSIZE')).toBe(0);
    await deaf.stop();
    await rm(join(place, 'appendonlydir'), { recursive: true });
    const once = await server({ folder: place });
    await once.ask('CONFIG', 'SET', 'appendonly', 'yes');
    while (/aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(String(await once.ask('INFO', 'persistence')))) {
      await delay(20);
    }
    await once.shutDown();
    expect(await fingerprintOf(await server({ folder: place, lines: ['appendonly yes'] }))).toEqual(original);
  });

  test('owner and mode are those of the folder, or of the file that is replaced; a break leaves nothing', async () => {
    const place = await dataFolder();
    const { stat, readdir, chown } = await import('node:fs/promises');
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(place, 65_534, 65_534);
    await withContext(async (context) => {
      const target = redisType.open({ dataFolder: join(place, 'other.rdb') }, '/');
      const cut = join(folder, 'cut.rdb');
      await writeFile(cut, (await readFile(rdb)).subarray(0, 200_000));
      await expect(restoreFile(target, format, cut, context)).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
      expect(await readdir(place)).toEqual([]);
      await restoreFile(target, format, rdb, context);
      const made = await stat(join(place, 'other.rdb'));
      expect(made.mode & 0o777).toBe(0o600);
      if (isRoot) expect([made.uid, made.gid]).toEqual([65_534, 65_534]);
      await chmod(join(place, 'other.rdb'), 0o640);
      await expect(restoreFile(target, format, cut, context, true)).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
      expect(await readFile(join(place, 'other.rdb'))).toEqual(await readFile(rdb));
      await restoreFile(target, format, rdb, context, true);
      expect((await stat(join(place, 'other.rdb'))).mode & 0o777).toBe(0o640);
      expect(await readdir(place)).toEqual(['other.rdb']);
    });
  });

  test('it is a target only, and a folder must be there', async () => {
    await withContext(async (context) => {
      const target = redisType.open({ dataFolder: join(folder, 'nowhere') }, '/');
      await expect(target.inspect(context)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await expect(restoreFile(target, format, rdb, context)).rejects.toThrow('there is no such folder');
    });
  });
});
