import { describe, expect, it } from 'vitest';
import { MemoryDestination } from '../../../src/destination/memory/memory-destination.ts';
import { codeOf, getBytes, neverAborted, putBytes, sampleBytes, streamOf } from '../../contract/destination/sample.ts';
import { FaultyDestination } from '../../faulty-destination/faulty-destination.ts';

const bytes = sampleBytes(1_000_000);

describe('FaultyDestination', () => {
  it('breaks a put in the middle, and then publishes nothing', async () => {
    const inner = new MemoryDestination();
    const faulty = new FaultyDestination(inner, { failAfterBytes: 300_000 });
    const stream = streamOf(bytes);
    expect(await codeOf(faulty.put('object', stream, { signal: neverAborted }))).toBe('DESTINATION_FAILED');
    expect(stream.destroyed).toBe(true);
    expect(await inner.stat('object')).toBeUndefined();
  });

  it('F18 stores other bytes and reports success', async () => {
    const faulty = new FaultyDestination(new MemoryDestination(), { corrupt: (chunk) => chunk.subarray(1) });
    const { size } = await putBytes(faulty, 'object', bytes);
    expect(size).toBeLessThan(bytes.length);
    expect((await getBytes(faulty, 'object')).length).toBe(size);
  });

  it('hits only what it should, and passes on what the source says', async () => {
    const only = (key: string) => key === 'hit';
    const faulty = new FaultyDestination(new MemoryDestination(), { failing: new Set(['put', 'delete']), only });
    expect(await codeOf(putBytes(faulty, 'hit', bytes))).toBe('DESTINATION_FAILED');
    expect(await codeOf(faulty.delete('hit'))).toBe('DESTINATION_FAILED');
    await putBytes(faulty, 'spared', bytes);
    expect((await getBytes(faulty, 'spared')).equals(bytes)).toBe(true);

    const failure = new Error('the dump broke off');
    const broken = streamOf(bytes);
    const put = codeOf(faulty.put('broken', broken, { signal: neverAborted }));
    broken.destroy(failure);
    expect(await put).toBe(failure);
    expect(await faulty.stat('broken')).toBeUndefined();
  });
});
