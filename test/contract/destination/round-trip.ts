/** What is put is what is got. */
import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import type { DestinationSuite, Subject } from '../describe-destination.ts';
import { codeOf, getBytes, interruptedStream, neverAborted, putBytes, sampleBytes, streamOf } from './sample.ts';

const usualSizes = [0, 1, 65_535, 65_536, 65_537, 5 * 1024 * 1024 + 13];

export function testRoundTrip(subject: Subject, suite: DestinationSuite): void {
  describe('round trip', () => {
    it.concurrent.each([...usualSizes, ...(suite.sizes ?? [])])('F14 of %i bytes', async (size) => {
      const { destination } = subject();
      const key = `round-trip/size-${size}`;
      const bytes = sampleBytes(size);
      const stored = await putBytes(destination, key, bytes);

      expect(stored).toMatchObject({ key, size });
      const found = await destination.stat(key);
      expect(found).toMatchObject({ key, size });
      expect(Math.abs(Date.now() - Number(found?.modifiedAt))).toBeLessThan(10 * 60_000);
      expect((await getBytes(destination, key)).equals(bytes)).toBe(true);
      if (destination.capabilities.checksum) {
        expect(found?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      }
      await destination.delete(key);
      expect(await destination.stat(key)).toBeUndefined();
    });

    it('lets go of the signal when it is done: that of a run lives through hundreds of objects', async () => {
      const { destination } = subject();
      const { signal } = new AbortController();
      const bytes = sampleBytes(100_000);
      await destination.put('round-trip/signal', streamOf(bytes), { signal });
      await destination.replace('round-trip/signal.state.json', Buffer.from('{}'), { signal });
      expect((await buffer(await destination.get('round-trip/signal', { signal }))).equals(bytes)).toBe(true);
      for await (const { size } of destination.list('round-trip/signal', { signal })) expect(size).toBeGreaterThan(0);
      await expect(destination.put('round-trip/signal', streamOf(bytes), { signal })).rejects.toThrow();
      const failing = interruptedStream(bytes, () => Promise.reject(new Error('broke off')));
      await expect(destination.put('round-trip/failing', failing, { signal })).rejects.toThrow();
      const cut = interruptedStream(bytes, () => void cut.destroy());
      await expect(destination.put('round-trip/cut', cut, { signal })).rejects.toThrow();
      (await destination.get('round-trip/signal', { signal })).destroy();
      await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]), 10_000);
    });

    it('gets from a byte in the middle on', async () => {
      const { destination } = subject();
      const bytes = sampleBytes(1_300_000);
      await putBytes(destination, 'round-trip/range', bytes);
      for (const start of [0, 1, 65_536, 1_299_999]) {
        const rest = await getBytes(destination, 'round-trip/range', start);
        expect(rest.equals(bytes.subarray(start))).toBe(true);
      }
    });

    it('replaces a small object whole, and changes its etag', async () => {
      const { destination } = subject();
      const key = 'round-trip/state.json';
      const options = { signal: neverAborted };
      const first = await destination.replace(key, Buffer.from('{"first": true, "longer": true}'), options);
      const second = await destination.replace(key, Buffer.from('{}'), options);
      expect(second).toMatchObject({ key, size: 2 });
      if (first.etag !== undefined) expect(second.etag).not.toBe(first.etag);
      expect((await getBytes(destination, key)).toString()).toBe('{}');
      await destination.replace(key, Buffer.alloc(0), options);
      expect(await getBytes(destination, key)).toHaveLength(0);
    });

    it('gives stat, put and list the same etag while the bytes are the same', async () => {
      const { destination } = subject();
      const stored = await putBytes(destination, 'round-trip/etag/one', sampleBytes(100));
      const listed: unknown[] = [];
      for await (const object of destination.list('round-trip/etag/')) listed.push(object);
      expect(await destination.stat(stored.key)).toEqual(stored);
      expect(listed).toHaveLength(1);
      expect(listed[0]).toMatchObject({ key: stored.key, size: 100 });
    });

    it('knows what is missing', async () => {
      const { destination } = subject();
      await putBytes(destination, 'round-trip/there', sampleBytes(1));
      const missing = ['nowhere', 'round-trip/nowhere', 'no/such/folder', 'round-trip/there/below', 'round-trip'];
      const answers = missing.map(async (key) => {
        const found = await Promise.all([destination.stat(key), codeOf(destination.get(key))]);
        await destination.delete(key);
        return found;
      });
      expect(await Promise.all(answers)).toEqual(missing.map(() => [undefined, 'OBJECT_MISSING']));
      expect(await destination.stat('round-trip/there')).toBeDefined();
    });

    it('says how much room there is, or that it does not know', async () => {
      const free = await subject().destination.freeBytes();
      expect(free === undefined || (Number.isSafeInteger(free) && free > 0)).toBe(true);
    });
  });
}
