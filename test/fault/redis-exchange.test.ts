/** The connection of a restore into a running Redis is cut at each of its commands, in turn: nothing is ever lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../src/errors.ts';
import { redisType } from '../../src/source/redis/redis.ts';
import { rightsToRestore } from '../../src/source/redis/rights.ts';
import type { Source } from '../../src/source/source.ts';
import { dumpToFile, restoreFile } from '../contract/source/dump-and-restore.ts';
import { withContext } from '../contract/source/test-context.ts';
import { fingerprintOf, type RedisServer, type RedisSettings, startRedis } from '../servers/redis.ts';
import { startRedisCommandProxy, type Verdict } from '../servers/redis-command-proxy.ts';

const [format = { name: '', extension: '', restoreFrom: 'file', restoreTables: false, parallelRestore: false }] =
  redisType.capabilities().formats;
/** Far beyond what one restore sends. */
const commandsAtMost = 200;
/** Each of them is cut off; and where it makes a difference that the server does it unheard, or is gone for good. */
const cuts = {
  before: ['RESTORE', 'INFO', 'MULTI', 'SWAPDB', 'EXEC', 'FUNCTION', 'SELECT', 'FLUSHDB'],
  after: ['EXEC', 'FUNCTION', 'FLUSHDB'],
  'for good before': ['RESTORE', 'MULTI', 'EXEC', 'FUNCTION', 'FLUSHDB'],
} as const;

type Fingerprint = Readonly<Record<string, string>>;

let folder: string;
let from: RedisServer;
let original: Fingerprint;
let whole: string;
/** The same from a server that has only database 0. */
let single: string;
let singleOriginal: Fingerprint;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbb-redis-exchange-'));
  from = await startRedis({ password: '' });
  const dump = () => withContext((context) => dumpToFile(source(from), format, { ...context, folder }));
  await from.askAll([
    ['SET', 'k', 'new'],
    ['SET', 'k2', 'new'],
  ]);
  singleOriginal = await fingerprintOf(from);
  single = (await dump()).path;
  await from.askAll([
    ['SELECT', 3],
    ['RPUSH', 'l', 'new', 'new'],
    ['SELECT', 0],
  ]);
  await from.ask('FUNCTION', 'LOAD', library('new'));
  original = await fingerprintOf(from);
  whole = (await dump()).path;
});
afterAll(async () => {
  await from?.stop();
  await rm(folder, { recursive: true, force: true });
});

function library(name: string): string {
  return `#!lua name=${name}\nredis.register_function('${name}', function() return 1 end)`;
}

function source(of: { readonly port: number }, more: object = {}): Source {
  return redisType.open({ host: '127.0.0.1', port: of.port, ...more }, folder);
}

async function withServer(settings: RedisSettings, work: (server: RedisServer) => Promise<void>): Promise<void> {
  const server = await startRedis({ password: '', ...settings });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

interface Outcome {
  /** Undefined: the restore says that it has succeeded. */
  readonly error: unknown;
  /** What it has said besides. */
  readonly said: string;
}

async function restoreThrough(
  server: RedisServer,
  path: string,
  judge: (name: string) => Verdict | Promise<Verdict>,
  { clean = false, more = {} }: { readonly clean?: boolean; readonly more?: object } = {},
): Promise<Outcome> {
  const proxy = await startRedisCommandProxy(server.port, judge);
  let outcome: Outcome = { error: undefined, said: '' };
  try {
    await withContext(async (context) => {
      const failed = (error: unknown) => ({ error, warnings: [] });
      const ended = {
        error: undefined,
        ...(await restoreFile(source(proxy, more), format, path, context, clean).catch(failed)),
      };
      outcome = { error: ended.error, said: [...context.lines, ...ended.warnings].join('\n') };
    });
  } finally {
    await proxy.close();
  }
  return outcome;
}

/** Cuts at the n-th of these commands, from the load on. */
function cutter(n: number, how: keyof typeof cuts) {
  let [restores, seen] = [0, 0];
  const judge = (name: string): Verdict => {
    if (name === 'RESTORE') restores += 1;
    // The first one only asks whether it is allowed.
    if (restores < 2) return 'pass';
    const counts = (cuts[how] as readonly string[]).includes(name);
    if (counts) seen += 1;
    if (how === 'for good before') return seen >= n ? 'before' : 'pass';
    return counts && seen === n ? how : 'pass';
  };
  return { judge, wasReached: () => seen >= n };
}

function part(all: Fingerprint, databases: readonly number[]): Fingerprint {
  return Object.fromEntries(Object.entries(all).filter(([name]) => databases.includes(Number(name.split(' ')[0]))));
}

/** As if it lay in the database 0. */
function moved(all: Fingerprint, database: number): Fingerprint {
  return Object.fromEntries(
    Object.entries(part(all, [database])).map(([name, value]) => [name.replace(/^\d+/, '0'), value]),
  );
}

async function fillOld(server: RedisServer): Promise<Fingerprint> {
  await server.ask('FLUSHALL');
  await server.ask('FUNCTION', 'FLUSH');
  await server.ask('FUNCTION', 'LOAD', library('old'));
  await server.askAll([
    ['SET', 'k', 'old'],
    ['SELECT', 5],
    ['SET', 'k', 'old'],
    ['SELECT', 0],
  ]);
  return await fingerprintOf(server);
}

/** Old whole, or new whole, and what was said is so. */
function judgeOutcome(now: Fingerprint, before: Fingerprint, { error, said }: Outcome): void {
  if (error === undefined) {
    expect(now).toEqual(original);
    return;
  }
  const message = messageOf(error);
  const isNew = now['0 k'] === original['0 k'];
  if (!isNew) {
    expect(part(now, [0, 3, 5])).toEqual(part(before, [0, 3, 5]));
    expect(now['functions']).toBe(before['functions']);
    // What is left of the new is told.
    if (Object.keys(now).length !== Object.keys(before).length) {
      expect(`${message}\n${said}`).toMatch(/was not confirmed|could not be removed/);
    } else expect(now).toEqual(before);
    return;
  }
  expect(part(now, [0, 3])).toEqual(part(original, [0, 3]));
  expect(message).toMatch(/was not confirmed|in place/);
  if (/dropped/.test(message)) expect(now['functions']).toBe(original['functions']);
  else expect([moved(now, 15), part(now, [5])]).toEqual([part(before, [0]), part(before, [5])]);
}

describe.concurrent('the connection is cut', () => {
  test.each(['before', 'after', 'for good before'] as const)('%s each command, in turn', async (how) => {
    await withServer({}, async (server) => {
      let failures = 0;
      for (let n = 1; ; n += 1) {
        expect(n).toBeLessThan(commandsAtMost);
        const before = await fillOld(server);
        const cut = cutter(n, how);
        const outcome = await restoreThrough(server, whole, cut.judge, { clean: true });
        judgeOutcome(await fingerprintOf(server), before, outcome);
        if (outcome.error !== undefined) failures += 1;
        if (cut.wasReached()) continue;
        expect(outcome.error).toBe(undefined);
        break;
      }
      expect(failures).toBeGreaterThan(0);
    });
  });

  test('in place, and the keys of others stay', async () => {
    await withServer({ lines: ['databases 1'] }, async (server) => {
      let restores = 0;
      const outcome = await restoreThrough(server, single, async (name): Promise<Verdict> => {
        if (name !== 'RESTORE' || ++restores < 3) return 'pass';
        await server.ask('SET', 'mine', '1');
        return 'before';
      });
      expect(outcome.error).toBeInstanceOf(Error);
      expect(outcome.said).toContain('1 keys in the databases 0 were left there');
      expect(await server.ask('KEYS', '*')).toEqual([Buffer.from('mine')]);
    });
  });
});

describe.concurrent('an application writes during the restore', () => {
  test.each([
    ['beside', 16],
    ['in place', 1],
  ] as const)('%s: into a server that was empty, and keeps its key', async (_where, databases) => {
    await withServer({ lines: [`databases ${databases}`] }, async (server) => {
      let restores = 0;
      const outcome = await restoreThrough(server, single, async (name): Promise<Verdict> => {
        if (name === 'RESTORE' && ++restores === 2) await server.ask('SET', 'order', 'paid');
        return 'pass';
      });
      expect(outcome.error).toMatchObject({ code: databases === 1 ? 'TARGET_FAILED' : 'TARGET_NOT_EMPTY' });
      expect(await server.ask('KEYS', '*')).toEqual([Buffer.from('order')]);
      expect(String(await server.ask('INFO', 'keyspace'))).not.toContain('db15');
    });
  });

  test('a key of the same name stays as it is', async () => {
    await withServer({ lines: ['databases 1'] }, async (server) => {
      let restores = 0;
      const outcome = await restoreThrough(server, single, async (name): Promise<Verdict> => {
        if (name === 'RESTORE' && ++restores === 2) await server.askAll(['k', 'k2'].map((key) => ['SET', key, 'paid']));
        return 'pass';
      });
      expect(outcome.error).toMatchObject({ message: expect.stringContaining('BUSYKEY') });
      expect(outcome.said).toContain('was left there');
      expect(String(await server.ask('GET', 'k'))).toBe('paid');
    });
  });

  test('in the last moment: its key is put aside, and named', async () => {
    await withServer({}, async (server) => {
      const outcome = await restoreThrough(server, single, async (name): Promise<Verdict> => {
        if (name === 'MULTI' && String(await server.ask('INFO', 'keyspace')).includes('db15')) {
          await server.ask('SET', 'order', 'paid');
        }
        return 'pass';
      });
      expect(outcome.error).toBe(undefined);
      expect(outcome.said).toContain('these keys now lie in 15');
      const now = await fingerprintOf(server);
      expect(part(now, [0])).toEqual(part(singleOriginal, [0]));
      expect(Object.keys(part(now, [15]))).toEqual(['15 order']);
    });
  });
});

describe.concurrent('rights', () => {
  const login = { user: 'weak', password: 'Pw' };

  test('those of the hint are enough to replace everything', async () => {
    await withServer({}, async (server) => {
      await fillOld(server);
      await server.ask('ACL', 'SETUSER', 'weak', 'on', '>Pw', ...rightsToRestore.split(' '));
      expect(await restoreThrough(server, whole, () => 'pass', { clean: true, more: login })).toMatchObject({
        error: undefined,
      });
      expect(await fingerprintOf(server)).toEqual(original);
    });
  });

  test.each([
    ['-select', 'SELECT'],
    ['-multi', 'MULTI'],
    ['-exec', 'EXEC'],
    ['-swapdb', 'SWAPDB'],
    ['-function', 'FUNCTION'],
  ])('%s is told before a byte is loaded', async (right, name) => {
    await withServer({}, async (server) => {
      const before = await fillOld(server);
      await server.ask('ACL', 'SETUSER', 'weak', 'on', '>Pw', '~*', '+@all', right);
      let restores = 0;
      const judge = (command: string): Verdict => {
        if (command === 'RESTORE') restores += 1;
        return 'pass';
      };
      const { error } = await restoreThrough(server, whole, judge, { clean: true, more: login });
      expect(messageOf(error)).toContain(`does not allow ${name}`);
      expect(restores).toBe(1);
      expect(await fingerprintOf(server)).toEqual(before);
    });
  });

  test.each([
    ['the exchange', 'SWAPDB', '-swapdb'],
    ['the functions', 'EXEC', '-function'],
  ])('%s refused when it has come so far leave everything as it was', async (_what, at, right) => {
    await withServer({}, async (server) => {
      const before = await fillOld(server);
      await server.ask('ACL', 'SETUSER', 'weak', 'on', '>Pw', '~*', '+@all');
      const { error, said } = await restoreThrough(
        server,
        whole,
        async (name): Promise<Verdict> => {
          const isLoaded = name === at && String(await server.ask('INFO', 'keyspace')).includes('db15');
          if (isLoaded) await server.ask('ACL', 'SETUSER', 'weak', right);
          return 'pass';
        },
        { clean: true, more: login },
      );
      expect(error).toMatchObject({ code: 'TARGET_FAILED', message: expect.stringContaining('NOPERM') });
      expect(said).toBe('');
      expect(await fingerprintOf(server)).toEqual(before);
    });
  });
});
