/** Whole or not at all, and never over something else. */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Destination } from '../../../src/destination/destination.ts';
import { DbBackupError } from '../../../src/errors.ts';
import type { DestinationSuite, Subject } from '../describe-destination.ts';
import {
  codeOf,
  getBytes,
  inParallel,
  interruptedStream,
  keysUnder,
  neverAborted,
  putBytes,
  randomNumbers,
  rejectionOf,
  sampleBytes,
  seed,
  streamOf,
  rounds as usualRounds,
} from './sample.ts';

const largest = 6 * 1024 * 1024;
/** Uploads that have nothing to do with each other; most of their time is waiting. */
const atOnce = 4;

export function testPublishing(subject: Subject, suite: DestinationSuite): void {
  const rounds = suite.slow ? Math.ceil(usualRounds / 4) : usualRounds;
  describe('publishing', () => {
    it('F30 never overwrites', async () => {
      const { destination } = subject();
      const first = sampleBytes(70_000, 1);
      await putBytes(destination, 'taken/object', first);
      expect(await codeOf(putBytes(destination, 'taken/object', sampleBytes(70_000, 2)))).toBe('OBJECT_EXISTS');
      expect((await getBytes(destination, 'taken/object')).equals(first)).toBe(true);
      expect(await keysUnder(destination, 'taken/')).toEqual(['taken/object']);
    });

    it('F30 lets exactly one of two simultaneous puts win, whole', async () => {
      const { destination } = subject();
      for (let round = 0; round < rounds; round++) {
        const key = `race/object-${round}`;
        const samples = [sampleBytes(900_000, 1), sampleBytes(900_000, 2)];
        const outcomes = await Promise.allSettled(samples.map((bytes) => putBytes(destination, key, bytes)));
        const winners = samples.filter((_, index) => outcomes[index]?.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        const lost = outcomes.find((outcome) => outcome.status === 'rejected');
        expect(lost?.reason).toMatchObject({ code: 'OBJECT_EXISTS' });
        expect((await getBytes(destination, key)).equals(winners[0] ?? Buffer.alloc(0))).toBe(true);
      }
    });

    it(`publishes nothing of a stream that errors anywhere (seed ${seed})`, async () => {
      const { destination } = subject();
      const random = randomNumbers(seed);
      const lengths = [0, 1, ...Array.from({ length: rounds }, () => random(largest))];
      const breakAfter = async (length: number) => {
        const key = `broken/object-${length}`;
        const failure = new DbBackupError('SOURCE_FAILED', 'the dump broke off');
        const stream = interruptedStream(sampleBytes(length), () => Promise.reject(failure));
        const error = await rejectionOf(destination.put(key, stream, { signal: neverAborted }));
        expect(error).toMatchObject({ code: 'SOURCE_FAILED' });
        await expectNothing(destination, key);
      };
      await inParallel(lengths, breakAfter, atOnce);
    });

    it(`publishes nothing after an abort, and rejects with its reason (seed ${seed})`, async () => {
      const { destination } = subject();
      const random = randomNumbers(seed);
      const lengths = [0, 1, ...Array.from({ length: rounds }, () => random(largest))];
      const abortAfter = async (length: number) => {
        const key = `aborted/object-${length}`;
        const controller = new AbortController();
        const reason = new DbBackupError('INTERRUPTED', 'stopped by the user');
        const stream = interruptedStream(sampleBytes(length), () => controller.abort(reason));
        expect(await rejectionOf(destination.put(key, stream, { signal: controller.signal }))).toBe(reason);
        expect(stream.destroyed).toBe(true);
        await expectNothing(destination, key);
      };
      await inParallel(lengths, abortAfter, atOnce);
    });

    it('does not begin when it is aborted already', async () => {
      const { destination } = subject();
      const reason = new DbBackupError('INTERRUPTED', 'stopped before');
      const stream = streamOf(sampleBytes(1000));
      const signal = AbortSignal.abort(reason);
      expect(await rejectionOf(destination.put('aborted/before', stream, { signal }))).toBe(reason);
      expect(stream.destroyed).toBe(true);
      await expectNothing(destination, 'aborted/before');
    });

    it('takes no broken stream for an empty one', async () => {
      const { destination } = subject();
      const errored = new Readable({ read: () => undefined });
      const put = destination.put('broken/early', errored, { signal: neverAborted });
      errored.destroy(new DbBackupError('SOURCE_FAILED', 'broken before the first byte'));
      expect(await codeOf(put)).toBe('SOURCE_FAILED');

      const cut = interruptedStream(sampleBytes(100_000), () => void cut.destroy());
      expect(await rejectionOf(destination.put('broken/cut', cut, { signal: neverAborted }))).toBeInstanceOf(Error);
      await expectNothing(destination, 'broken/early');
      await expectNothing(destination, 'broken/cut');
    });

    it('shows readers the whole object or none', async () => {
      const { destination } = subject();
      const bytes = sampleBytes(4 * 1024 * 1024);
      async function* watched(): AsyncGenerator<Buffer> {
        for (let start = 0; start < bytes.length; start += 1024 * 1024) {
          yield bytes.subarray(start, start + 1024 * 1024);
          await expectNothing(destination, 'watched/object');
        }
      }
      let done = false;
      const put = destination
        .put('watched/object', Readable.from(watched(), { objectMode: false }), { signal: neverAborted })
        .finally(() => {
          done = true;
        });
      const seen = new Set<number | undefined>();
      while (!done) {
        seen.add((await destination.stat('watched/object'))?.size);
        await delay(1);
      }
      await put;
      seen.delete(undefined);
      expect([...seen].filter((size) => size !== bytes.length)).toEqual([]);
      expect((await getBytes(destination, 'watched/object')).equals(bytes)).toBe(true);
    });

    const { stall } = suite;
    if (stall === undefined) return;
    it('F13 reads no further ahead of a stalled store than agreed', async () => {
      const { destination } = subject();
      const release = await stall();
      const limit = suite.readAhead ?? 32 * 1024 * 1024;
      const stopped = new AbortController();
      const reason = new DbBackupError('INTERRUPTED', 'seen enough');
      let taken = 0;
      function* endless(): Generator<Buffer> {
        for (; taken <= 2 * limit; taken += 65_536) yield Buffer.alloc(65_536);
      }
      const put = rejectionOf(
        destination.put('stalled/object', Readable.from(endless(), { objectMode: false }), { signal: stopped.signal }),
      );
      await settled(() => taken);
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThanOrEqual(limit);
      stopped.abort(reason);
      await release();
      expect(await put).toBe(reason);
    });
  });
}

async function expectNothing(destination: Destination, key: string): Promise<void> {
  const answers = [destination.stat(key), codeOf(destination.get(key)), keysUnder(destination, key)];
  expect(await Promise.all(answers)).toEqual([undefined, 'OBJECT_MISSING', []]);
}

/** Resolves when the number has stood still for half a second. */
async function settled(measure: () => number): Promise<void> {
  for (let before = -1; before !== measure(); ) {
    before = measure();
    await delay(500);
  }
}
