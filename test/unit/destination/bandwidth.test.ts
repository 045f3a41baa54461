/** The limit on bytes per second: how much passes, who waits, and that a wait can be broken off. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bandwidth } from '../../../src/destination/bandwidth.ts';
import { LimitedDestination } from '../../../src/destination/limited-destination.ts';
import { MemoryDestination } from '../../../src/destination/memory/memory-destination.ts';
import { parseByteRate } from '../../../src/value/byte-rate.ts';

const KB = 1000;

describe('the rate', () => {
  test.each([
    ['10MB/s', 10_000_000],
    ['1.5MiB/s', 1_572_864],
    ['500 KB/s', 500_000],
    ['80Mbit/s', 10_000_000],
    ['1Gbit/s', 125_000_000],
    ['1KB/s', 1000],
  ])('%s', (text, bytes) => expect(parseByteRate(text)).toBe(bytes));

  test.each([
    '10MB',
    '10',
    '0MB/s',
    '-1MB/s',
    '999B/s',
    '10mb/s',
    '10MB/h',
    '10MB/s ',
    'fast',
    '',
    '10Mbits/s',
    '4kbit/s',
  ])('%j is none', (text) => expect(parseByteRate(text)).toBeUndefined());
});

describe('the bucket', () => {
  test('never lets more pass than the rate and one burst, and wastes nothing while somebody waits', () => {
    const wishes = fc.array(
      fc.record({ pause: fc.integer({ min: 0, max: 2000 }), bytes: fc.integer({ min: 0, max: 5000 }) }),
    );
    fc.assert(
      fc.property(wishes, (list) => {
        let now = 5000;
        const bandwidth = new Bandwidth(10 * KB, () => now);
        const passed: { at: number; bytes: number }[] = [];
        for (const { pause, bytes } of list) {
          now += pause;
          passed.push({ at: now + bandwidth.take(bytes), bytes });
        }
        for (const [first, { at: from }] of passed.entries()) {
          let bytes = 0;
          for (const { at, bytes: more } of passed.slice(first)) {
            bytes += more;
            // The first of them may have been granted before, hence its own size.
            expect(bytes).toBeLessThanOrEqual(10 * (at - from) + 2500 + (passed[first]?.bytes ?? 0) + 1);
          }
        }
      }),
    );
  });

  test('serves in the order of asking', () => {
    const bandwidth = new Bandwidth(10 * KB, () => 1000);
    expect([bandwidth.take(2500), bandwidth.take(1000), bandwidth.take(1000)]).toEqual([0, 100, 200]);
  });
});

describe('a limited destination', () => {
  const signal = () => new AbortController().signal;
  const bytes = (count: number) => Readable.from([Buffer.alloc(count, 7)], { objectMode: false });
  const seconds = async (work: Promise<unknown>) => {
    const started = performance.now();
    await work;
    return (performance.now() - started) / 1000;
  };

  test('takes its time both ways, and the bytes stay the same', async () => {
    const memory = new MemoryDestination();
    const slow = new LimitedDestination(memory, { upload: new Bandwidth(400 * KB), download: new Bandwidth(800 * KB) });
    // 100 KB pass at once, and 200 KB on the way back.
    expect(await seconds(slow.put('a', bytes(500 * KB), { signal: signal() }))).toBeGreaterThan(0.95);
    const read: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of await slow.get('a')) read.push(chunk as Buffer);
    })();
    expect(await seconds(reading)).toBeGreaterThan(0.35);
    expect(Buffer.concat(read).equals(Buffer.alloc(500 * KB, 7))).toBe(true);
  });

  test('shares its line between streams', async () => {
    const slow = new LimitedDestination(new MemoryDestination(), { upload: new Bandwidth(400 * KB) });
    const both = ['a', 'b'].map((key) => slow.put(key, bytes(250 * KB), { signal: signal() }));
    expect(await seconds(Promise.all(both))).toBeGreaterThan(0.95);
  });

  test('reads no further ahead than what it may pass on', async () => {
    let given = 0;
    const endless = new Readable({
      highWaterMark: 16 * KB,
      read() {
        given += 16 * KB;
        this.push(Buffer.alloc(16 * KB));
      },
    });
    const slow = new LimitedDestination(new MemoryDestination(), { upload: new Bandwidth(100 * KB) });
    const stop = new AbortController();
    const put = slow.put('a', endless, { signal: stop.signal });
    await delay(500);
    // A burst of 25 KB, half a second, and what stands in the buffers on the way.
    expect(given).toBeLessThan(75 * KB + 150 * KB);
    stop.abort(new Error('enough'));
    await expect(put).rejects.toThrow('enough');
    expect(endless.destroyed).toBe(true);
  });

  test('breaks off at once, however long it would have waited', async () => {
    const memory = new MemoryDestination();
    const slow = new LimitedDestination(memory, { upload: new Bandwidth(KB), download: new Bandwidth(KB) });
    const stop = new AbortController();
    const put = slow.put('a', bytes(1000 * KB), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('stop')), 100);
    expect(await seconds(expect(put).rejects.toThrow('stop'))).toBeLessThan(2);
    expect(await memory.stat('a')).toBeUndefined();

    await memory.put('b', bytes(1000 * KB), { signal: signal() });
    const reader = await slow.get('b');
    reader.resume();
    setTimeout(() => reader.destroy(), 100);
    expect(await seconds(once(reader, 'close'))).toBeLessThan(2);
  });

  test('tells the error of the stream, and never publishes it', async () => {
    const memory = new MemoryDestination();
    const slow = new LimitedDestination(memory, { upload: new Bandwidth(100 * KB) });
    const broken = Readable.from(
      (function* () {
        yield Buffer.alloc(10 * KB);
        throw new Error('the dump broke');
      })(),
      { objectMode: false },
    );
    await expect(slow.put('a', broken, { signal: signal() })).rejects.toThrow('the dump broke');
    expect(await memory.stat('a')).toBeUndefined();
  });

  test('tells the error of the store on the way back', async () => {
    const memory = new MemoryDestination();
    memory.get = async () =>
      new Readable({
        read() {
          this.destroy(new Error('the line broke'));
        },
      });
    const slow = new LimitedDestination(memory, { download: new Bandwidth(100 * KB) });
    await expect(
      pipeline(await slow.get('a'), async (all) => {
        for await (const _ of all);
      }),
    ).rejects.toThrow('the line broke');
  });
});
