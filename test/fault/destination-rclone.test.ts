import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Leftover } from '../../src/destination/destination.ts';
import { type RcloneOptions, rcloneOptions } from '../../src/destination/rclone/options.ts';
import { rcloneType } from '../../src/destination/rclone/rclone.ts';
import { codeOf, keysUnder, neverAborted, putBytes, rejectionOf, sampleBytes } from '../contract/destination/sample.ts';
import { rcloneOptionsFor, type SftpServer, startSshd } from '../servers/sftp.ts';

const mebibyte = 2 ** 20;
const key = 'shop/shop_2026-11-20T03-00-00-123Z_4f9c01.sql.zst';
const sample = sampleBytes(12 * mebibyte);

describe('rclone destination', () => {
  let server: SftpServer;
  const open = (options: Partial<RcloneOptions> = {}) =>
    rcloneType.open(
      { ...rcloneOptionsFor(server), arguments: ['--low-level-retries', '1'], retries: 2, ...options },
      '/',
    );
  const stored = () => join(server.root, 'store');
  const leftovers = async () => {
    const found: Leftover[] = [];
    for await (const leftover of open().leftovers()) found.push(leftover);
    return found;
  };

  beforeAll(async () => {
    server = await startSshd();
  });
  afterEach(async () => {
    await server.start();
    await rm(stored(), { recursive: true, force: true });
  });
  afterAll(() => server.stop());

  it('F20 publishes nothing when the connection drops, and removes what it left', async () => {
    server.proxy.dropAfter(6 * mebibyte, 'to-server');
    expect(await codeOf(putBytes(open(), key, sample))).toBe('DESTINATION_FAILED');
    expect(await keysUnder(open(), '')).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  it('F20 leaves at most a temporary name when the server dies, and finds it later', async () => {
    const stream = Readable.from(
      (async function* () {
        yield sample.subarray(0, 6 * mebibyte);
        for (let tries = 0; tries < 500 && (await partOf(stored())) === undefined; tries++) await delay(20);
        await server.kill();
        yield sample.subarray(6 * mebibyte);
        for (let more = 0; more < 200; more++) yield sample.subarray(0, mebibyte);
      })(),
      { objectMode: false },
    );
    const put = open({ retries: 0 }).put(key, stream, { signal: neverAborted });
    expect(await rejectionOf(put)).toMatchObject({ code: 'DESTINATION_FAILED' });
    await server.start();
    expect(await keysUnder(open(), '')).toEqual([]);
    const found = await leftovers();
    expect(found.map((leftover) => leftover.belongsTo(key))).toEqual([true]);
    for (const leftover of found) await leftover.remove();
    expect(await leftovers()).toEqual([]);
  });

  it('goes on reading where a connection dropped', async () => {
    await putBytes(open(), key, sample);
    const stream = await open().get(key);
    server.proxy.dropAfter(5 * mebibyte, 'to-client');
    expect((await buffer(stream)).equals(sample)).toBe(true);
  });

  it('F42 gives no mixture when the object was exchanged', async () => {
    await putBytes(open(), key, sample);
    const stream = await open().get(key);
    server.proxy.dropAfter(5 * mebibyte, 'to-client');
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    await writeFile(join(stored(), key), sampleBytes(sample.length + 1, 2));
    const rest = async () => {
      while (!(await chunks.next()).done);
    };
    expect(await codeOf(rest())).toBe('INTEGRITY');
  });

  it('F30 overwrites nothing that appears while the stream is under way', async () => {
    const stream = Readable.from(
      (async function* () {
        yield sampleBytes(100_000);
        await mkdir(dirname(join(stored(), key)), { recursive: true });
        await writeFile(join(stored(), key), 'of someone else');
      })(),
      { objectMode: false },
    );
    expect(await codeOf(open().put(key, stream, { signal: neverAborted }))).toBe('OBJECT_EXISTS');
    expect(await readFile(join(stored(), key), 'utf8')).toBe('of someone else');
    expect(await readdir(dirname(join(stored(), key)))).toHaveLength(1);
  });

  it('ends a silent rclone', async () => {
    const release = server.proxy.stall();
    try {
      expect(await rejectionOf(open({ retries: 0, idleTimeout: 500 }).stat(key))).toMatchObject({
        code: 'DESTINATION_FAILED',
        retryable: true,
      });
    } finally {
      release();
    }
  });

  it('names what is missing: the program, the remote, the server', async () => {
    expect(await rejectionOf(open({ program: 'no-such-rclone' }).stat(key))).toMatchObject({
      code: 'DESTINATION_FAILED',
      hint: expect.stringMatching(/apt-get install rclone/),
    });
    expect(await rejectionOf(open({ remote: 'nowhere:backups' }).stat(key))).toMatchObject({
      hint: expect.stringMatching(/rclone config/),
      retryable: false,
    });
    await server.kill();
    expect(await rejectionOf(open({ retries: 0 }).stat(key))).toMatchObject({ retryable: true });
  });

  it('F38 takes no remote that would bring secrets into labels, and shows none of its environment', async () => {
    expect(rcloneOptions.safeParse({ remote: ':sftp,pass=canary:path' }).success).toBe(false);
    expect(rcloneOptions.safeParse({ remote: 'vault,pass=canary:path' }).success).toBe(false);
    const environment = { ...rcloneOptionsFor(server).environment, RCLONE_CONFIG_VAULT_PASS: 'canary' };
    const destination = open({ environment, configPassword: 'canary' });
    expect(inspect(await rejectionOf(destination.get(key)))).not.toContain('canary');
    expect(destination.label).toBe(`vault:${stored()}`);
  });
});

/** The temporary file below a folder, as soon as there is one. */
async function partOf(folder: string): Promise<string | undefined> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.find((name) => name.endsWith('.part'));
}
