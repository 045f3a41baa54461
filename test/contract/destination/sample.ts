/** Bytes, streams and questions that the contract suite of destinations is made of. */
import { createCipheriv } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Destination, StoredObject } from '../../../src/destination/destination.ts';
import { DbBackupError } from '../../../src/errors.ts';

/** Changes from run to run; set DBBACKUP_TEST_SEED to repeat one. It stands in the names of the tests that use it. */
export const seed = Number(process.env['DBBACKUP_TEST_SEED'] ?? Date.now() % 1_000_000);
export const rounds = Number(process.env['DBBACKUP_TEST_ROUNDS'] ?? 5);

export const neverAborted = new AbortController().signal;
// As that of a run: what goes on at once waits for it, and that may be much.
setMaxListeners(0, neverAborted);

/** The same incompressible bytes for the same `number`. */
export function sampleBytes(size: number, number = 1): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(number);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Whole numbers from 0 up to `limit`, the same for the same seed (mulberry32). */
export function randomNumbers(start: number): (limit: number) => number {
  let state = start >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** The bytes in chunks of uneven sizes. */
export function* unevenChunks(bytes: Buffer): Generator<Buffer> {
  const random = randomNumbers(bytes.length);
  for (let start = 0; start < bytes.length; ) {
    const end = start + 1 + random(150_000);
    yield bytes.subarray(start, end);
    start = end;
  }
}

export function streamOf(bytes: Buffer): Readable {
  return Readable.from(unevenChunks(bytes), { objectMode: false });
}

/** Hands out the bytes, then calls `interrupt`, and ends never: it errors with what `interrupt` throws, or waits. */
export function interruptedStream(bytes: Buffer, interrupt: () => void | Promise<void>): Readable {
  const chunks = unevenChunks(bytes);
  const stream = new Readable({
    read() {
      const { done, value } = chunks.next();
      if (done)
        Promise.resolve()
          .then(interrupt)
          .catch((error) => stream.destroy(error));
      else this.push(value);
    },
  });
  return stream;
}

export async function putBytes(destination: Destination, key: string, bytes: Buffer): Promise<StoredObject> {
  return destination.put(key, streamOf(bytes), { signal: neverAborted, estimatedBytes: bytes.length });
}

export async function getBytes(destination: Destination, key: string, start?: number): Promise<Buffer> {
  return buffer(await destination.get(key, start === undefined ? {} : { start }));
}

export async function keysUnder(destination: Destination, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of destination.list(prefix)) keys.push(key);
  return keys.sort();
}

/** What a promise was rejected with; throws when it was not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => 'resolved',
    (error: unknown) => ({ error }),
  );
  if (typeof outcome === 'string') throw new Error('expected a rejection, but the promise resolved');
  return outcome.error;
}

/** The code of a rejection, or the error itself when it is none of ours. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejectionOf(promise);
  return error instanceof DbBackupError ? error.code : error;
}

/** The work on every item, on some of them at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  width = 8,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
