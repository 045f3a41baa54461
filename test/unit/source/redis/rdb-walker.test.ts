import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { Crc64 } from '../../../../src/source/redis/crc64.ts';
import { RdbCheck } from '../../../../src/source/redis/rdb-check.ts';
import { type RdbEntry, RdbWalker } from '../../../../src/source/redis/rdb-walker.ts';

/** As Redis 8.0.2 saved it: RDB 12, with hashes whose fields expire. */
const redis8 = Buffer.from(
  [
    'UkVESVMwMDEy+glyZWRpcy12ZXIFOC4wLjL6CnJlZGlzLWJpdHPAQPoFY3RpbWXClMMIa/oIdXNlZC1tZW3CeIgPAPoIYW9mLWJhc2XAAPVAQi',
    'MhbHVhIG5hbWU9bQpyZWRpcy5yZWdpc3Rlcl9mdW5jdGlvbignZicsIGZ1bmN0aW9uKCkgcmV0dXJuIDEgZW5kKf4A+wkBCwFpDAIAAAACAAAA',
    'AQACABIBbAECEBAAAAADAIFhAoFiAoFjAv8YA2JpZwDYwyy7AwAAAwABYcABAAFjwAMBAWLAAhUCc3QBEAAAAAAAAAABAAAAAAAAAAEdHQAAAA',
    'oAAQEAAQEBgWYCAAECAQABAAGBdgIEAf8BAQEBAQAAAQEBZwEBAQEAAAAAAAAAAQAAAAAAAAABXvs7GqIBAAABAQFjXvs7GqIBAABe+zsaogEA',
    'AAEAAAAAAAAAAQAAAAAAAAABGQFoANjDLLsDAAAdHQAAAAYAgWECAQH0ANjDLLsDAAAJgWICAgEAAf/8e9jDLLsDAAAACGdyZWV0aW5nww4dBm',
    'hlbGxvIGjgCwUBbG8AwCrABxQBcw8PAAAAAwCBYQKBYgIBAf8RAXoUFAAAAAQAgWECgzEuNQSBYgICAf/+AvsBAAABeAF5/293cw1HN46c',
  ].join(''),
  'base64',
);

/** As Valkey 8.0.1 saved it: RDB 11. */
const valkey8 = Buffer.from(
  [
    'UkVESVMwMDEx+gp2YWxrZXktdmVyBTguMC4x+gpyZWRpcy1iaXRzwED6BWN0aW1lwpbDCGv6CHVzZWQtbWVtwgCyEgD6CGFvZi1iYXNlwAD1QE',
    'IjIWx1YSBuYW1lPW0KcmVkaXMucmVnaXN0ZXJfZnVuY3Rpb24oJ2YnLCBmdW5jdGlvbigpIHJldHVybiAxIGVuZCn+APsJARABaBERAAAABACB',
    'YQIBAYFiAgIB//x72MMsuwMAAAAIZ3JlZXRpbmfDDh0GaGVsbG8gaOALBQFsbxQBcw8PAAAAAwCBYQKBYgIBAf8AwCrABxUCc3QBEAAAAAAAAA',
    'ABAAAAAAAAAAEdHQAAAAoAAQEAAQEBgWYCAAECAQABAAGBdgIEAf8BAQEBAQAAAQEBZwEBAQEAAAAAAAAAAQAAAAAAAAABZAQ8GqIBAAABAQFj',
    'ZAQ8GqIBAABkBDwaogEAAAEAAAAAAAAAAQAAAAAAAAABEgFsAQIQEAAAAAMAgWECgWICgWMC/xEBehQUAAAABACBYQKDMS41BIFiAgIB/wQDYm',
    'lnAwFjwAMBYsACAWHAAQsBaQwCAAAAAgAAAAEAAgD+AvsBAAABeAF5/2Ff5p3Uvah+',
  ].join(''),
  'base64',
);

/** Everything that older and other servers write, by hand: key after key of database 0, each behind its type. */
function written(magic: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const latin = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  const body = Buffer.concat([Buffer.from(magic), ...latin, Buffer.of(0xff)]);
  return Buffer.concat([body, new Crc64().update(body).digest()]);
}

const eight = '\0'.repeat(8);
const old = written(
  'REDIS0009',
  '\xfe\x00',
  // A list, a set, a hash, a sorted set with written scores: 1.5, infinity, not a number.
  '\x01\x01l\x02\x01a\x01b',
  '\x02\x01s\x01\xc0\x07',
  '\x04\x01h\x01\x01f\x01v',
  '\x03\x01z\x03\x01a\x031.5\x01b\xfe\x01c\xfd',
  // Zipmap, ziplists, a list of ziplists.
  ...['\x09', '\x0a', '\x0c', '\x0d'].map((type) => `${type}\x01k\x03abc`),
  '\x0e\x01q\x02\x02zz\x02yy',
  // A stream of 5.0 with a group, a pending entry and its consumer.
  `\x0f\x02st\x01\x10${eight}${eight}\x03abc\x01\x05\x06\x01\x01g\x05\x06\x01${eight}${eight}${eight}\x01\x01\x01c${eight}\x01${eight}${eight}`,
  // A value of a module, with all that it may hold; data of a module that belongs to no key.
  `\x07\x01m\x81${eight}\x02\x05\x01\x81${'\xff'.repeat(8)}\x03abcd\x04${eight}\x05\x03txt\x00`,
  `\xf7\x81${eight}\x02\x02\x05\x01x\x00`,
  // Idle time, frequency, expiry in seconds; lengths of 14, 32 and 64 bits.
  `\xf8\x05\x00\x01i\x01v`,
  `\xf9\x05\xfd\x01\x00\x00\x00\x00\x01e\x40\x03abc`,
  `\x00\x01n\x80\x00\x00\x00\x03abc`,
  `\x00\x01w\x81\x00\x00\x00\x00\x00\x00\x00\x03abc`,
);

function walk(bytes: Buffer, size: number): { walker: RdbWalker; entries: RdbEntry[] } {
  const entries: RdbEntry[] = [];
  const walker = new RdbWalker((entry) => entries.push(entry));
  for (let at = 0; at < bytes.length; at += size) walker.push(bytes.subarray(at, at + size));
  return { walker, entries };
}

async function check(bytes: Buffer): Promise<RdbCheck> {
  const passing = new RdbCheck();
  await pipeline(Readable.from([bytes]), passing, new Writable({ write: (_chunk, _encoding, done) => done() }));
  return passing;
}

describe('the walk through an RDB file', () => {
  const files = [
    ['Redis 8.0', redis8, 12],
    ['Valkey 8.0', valkey8, 11],
  ] as const;

  test.each(files)('of %s finds every key, whatever the chunks', (_name, bytes, version) => {
    const whole = walk(bytes, bytes.length);
    for (const size of [1, 7, 64]) expect(walk(bytes, size).entries).toEqual(whole.entries);
    expect(whole.walker).toMatchObject({ parsed: true, unknown: undefined, version });
    const [library] = whole.walker.libraries;
    expect(bytes.toString('latin1', library?.start, library?.end)).toContain('#!lua name=m');
    expect([...whole.walker.keys]).toEqual([
      [0, 9],
      [2, 1],
    ]);
    const names = whole.entries.map(({ key }) => key.toString()).sort();
    expect(names).toEqual(['42', 'big', 'greeting', 'h', 'i', 'l', 's', 'st', 'x', 'z']);
    const expiring = whole.entries.filter(({ expiresAt }) => expiresAt !== undefined);
    expect(expiring.map(({ key, expiresAt }) => [key.toString(), expiresAt])).toEqual([['greeting', 4102444800123n]]);
  });

  test.each(files)('of %s does not take a part for the whole, nor a changed bit', async (_name, bytes) => {
    await check(bytes);
    for (let length = 1; length < bytes.length; length += 1) {
      await expect(check(bytes.subarray(0, length)), `${length}`).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
    }
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await expect(check(changed), `${at}`).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
    }
  });

  test('knows what older servers and modules write', async () => {
    await check(old);
    for (const size of [1, 5, old.length]) {
      const { walker, entries } = walk(old, size);
      expect(walker).toMatchObject({ parsed: true, unknown: undefined, expiring: 1, hasModuleData: true });
      expect(entries.map(({ key }) => key.toString()).join(' ')).toBe('l s h z k k k k q st m i e n w');
      expect(entries.find(({ expiresAt }) => expiresAt !== undefined)?.expiresAt).toBe(1000n);
    }
  });

  test("knows Valkey's own versions, and that its types mean something else", async () => {
    const bytes = written('VALKEY080', '\xfe\x00', `\x16\x01h\x01\x01f\x01v${eight}`, '\x00\x01k\x01v');
    expect((await check(bytes)).walker).toMatchObject({ parsed: true, version: 80 });
    expect([...(await check(bytes)).walker.keys]).toEqual([[0, 2]]);
    const redis = written('REDIS0012', '\xfe\x00', `\x16\x01h\x01\x01f\x01v${eight}`);
    expect((await check(redis)).walker.unknown).toBe('a value of type 22 in RDB version 12');
  });

  test('does not make room for a name that is not there', async () => {
    const huge = Buffer.from('REDIS0010\xfa\x80\x7f\xff\xff\xff', 'latin1');
    await expect(check(huge)).rejects.toThrow('a name of 2147483647 bytes');
  });
});

describe('CRC-64', () => {
  test("has Redis' check value, in one piece as in several", () => {
    const bytes = Buffer.from('123456789');
    expect(new Crc64().update(bytes).digest().reverse().toString('hex')).toBe('e9c6d914c4b8d9ca');
    const long = Buffer.from(Array.from({ length: 1000 }, (_, at) => (at * 7) & 0xff));
    const whole = new Crc64().update(long);
    for (const cut of [1, 7, 8, 9, 500, 999]) {
      const parts = new Crc64().update(long, 0, cut).update(long, cut);
      expect(parts.digest()).toEqual(whole.digest());
    }
    expect(whole.isZero).toBe(false);
    expect(whole.update(whole.digest()).isZero).toBe(true);
  });
});
