/** The nastiest data that Redis 7.0 takes: every type in every encoding, every byte in names and values. */
import { randomBytes } from 'node:crypto';
import type { RedisServer } from './redis.ts';

type Command = readonly (string | Buffer | number)[];

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const far = 4_102_444_800_123;

/** Returns what `contents` must say: keys by database, and libraries of functions. */
export async function fillNasty(server: RedisServer): Promise<Readonly<Record<string, number>>> {
  await server.askAll([...strings(), ...collections(), ...streams()]);
  await server.askAll([
    ['SELECT', 3],
    ['SET', '', 'the empty name'],
    ['SET', 'empty value', ''],
  ]);
  await server.askAll([
    ['SELECT', 15],
    ['SET', 'last', '1', 'PXAT', far],
    ['HSET', 'h', 'f', 'v'],
    ['SELECT', 0],
  ]);
  await server.ask('FUNCTION', 'LOAD', library);
  const sizes = (await server.askAll([
    ['DBSIZE'],
    ['SELECT', 3],
    ['DBSIZE'],
    ['SELECT', 15],
    ['DBSIZE'],
    ['SELECT', 0],
  ])) as readonly number[];
  return { db0: Number(sizes[0]), db3: Number(sizes[2]), db15: Number(sizes[4]), functions: 1 };
}

/** Long enough to be compressed. */
const library = `#!lua name=nasty
-- ${'a comment that goes on and on '.repeat(40)}
redis.register_function('twice', function(keys, args) return args[1] * 2 end)`;

function strings(): Command[] {
  const names = ['--help', '$(rm -rf /)', 'it\'s "quoted"', 'line\nbreak\r\n', '../../etc/passwd', 'naïve 日本語 🐘'];
  return [
    ...names.map((name, at): Command => ['SET', name, `value ${at}`]),
    ['SET', allBytes, allBytes],
    ['SET', Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]), Buffer.from([0x00])],
    ['SET', Buffer.alloc(1000, 'long name that LZF makes short '), 'x'],
    ...[0, 1, -1, 127, -128, 128, 32_767, -32_769, 2_147_483_647, -2_147_483_649, 10_000].map(
      (number): Command => ['SET', `number ${number}`, number],
    ),
    // Names that are stored as numbers.
    ...[0, -128, 300, 70_000].map((number): Command => ['SET', `${number}`, 'x']),
    ['SET', 'raw 512', Buffer.alloc(512, 0)],
    ['SET', 'raw 63', 'x'.repeat(63)],
    ['SET', 'raw 64', randomBytes(64)],
    ['SET', 'raw 16383', randomBytes(16_383)],
    ['SET', 'raw 16384', randomBytes(16_384)],
    ['SET', 'compressed', 'abcdefghij'.repeat(100_000)],
    ['SET', 'random', randomBytes(700_000)],
    ['SET', 'expires', 'x', 'PXAT', far],
    ['SETBIT', 'bitmap', 1_000_003, 1],
    ['PFADD', 'hyperloglog', ...Array.from({ length: 2000 }, (_, at) => `element ${at}`)],
    ['PFADD', 'small hyperloglog', 'a', 'b'],
  ];
}

function collections(): Command[] {
  const many = Array.from({ length: 3000 }, (_, at) => `member ${at}`);
  return [
    ['RPUSH', 'list', 'a', '', allBytes, '12', '-7000000000'],
    ['RPUSH', 'long list', ...many],
    // One element that has a node to itself.
    ['RPUSH', 'plain list', 'before', randomBytes(20_000), 'after'],
    ['SADD', 'integers', 1, -2, 70_000, 9_007_199_254_740_993n.toString()],
    ['SADD', 'set', 'a', allBytes, ''],
    ['SADD', 'large set', ...many],
    ['ZADD', 'sorted', 1.5, 'a', '-inf', 'b', '+inf', allBytes, 0.1, ''],
    ['ZADD', 'large sorted', ...many.flatMap((name, at) => [at / 7, name])],
    ['GEOADD', 'places', 8.54, 47.37, 'Zürich', 139.69, 35.68, '東京'],
    ['HSET', 'hash', 'field', 'value', '', 'empty field', allBytes, allBytes],
    ['HSET', 'large hash', ...many.flatMap((name) => [name, name.repeat(3)])],
    ['HSET', 'hash of long values', 'f', 'x'.repeat(5000)],
    ['PEXPIREAT', 'hash', far],
  ];
}

function streams(): Command[] {
  const entries = Array.from(
    { length: 500 },
    (_, at): Command => ['XADD', 'stream', `${at + 1}-1`, 'field', `value ${at}`],
  );
  return [
    ...entries,
    ['XDEL', 'stream', '7-1'],
    ['XGROUP', 'CREATE', 'stream', 'group', '0'],
    ['XGROUP', 'CREATE', 'stream', 'other group', '$'],
    ['XGROUP', 'CREATECONSUMER', 'stream', 'group', 'idle consumer'],
    ['XREADGROUP', 'GROUP', 'group', 'consumer', 'COUNT', 120, 'STREAMS', 'stream', '>'],
    ['XACK', 'stream', 'group', '1-1', '2-1'],
    ['XGROUP', 'CREATE', 'empty stream', 'group', '$', 'MKSTREAM'],
  ];
}

/** 20 MB that nobody can compress. */
export async function fillLarge(server: RedisServer): Promise<void> {
  for (let at = 0; at < 20; at += 1) await server.ask('SET', `noise ${at}`, randomBytes(1_000_000));
}
