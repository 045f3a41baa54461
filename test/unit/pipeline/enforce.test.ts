import { describe, expect, test } from 'vitest';
import { enforce } from '../../../src/pipeline/enforce.ts';
import { meter } from '../../../src/pipeline/meter.ts';
import { collect, dumpText, sha256, sourceOf } from './streams.ts';

const content = dumpText(200_000);

describe('meter', () => {
  test('counts and hashes what passes unchanged, and reports the total so far', async () => {
    const totals: number[] = [];
    const stage = meter('meter:raw', { onBytes: (total) => totals.push(total) });
    const out = await collect(sourceOf(content.subarray(0, 5), content.subarray(5)).pipe(stage.stream));
    expect(out.equals(content)).toBe(true);
    expect(stage.result()).toEqual({ bytes: content.length, sha256: sha256(content) });
    expect(totals).toEqual([5, content.length]);
  });

  test('has no result before the end', () => {
    expect(() => meter('meter:raw').result()).toThrow('meter:raw was asked before the end');
  });

  test('takes the hash from whoever has measured the same bytes', async () => {
    const measured = { bytes: content.length, sha256: 'f00d' };
    const stage = meter('meter:stored', { measured: () => measured });
    await collect(sourceOf(content).pipe(stage.stream));
    expect(stage.result()).toEqual(measured);
  });

  test('fails when other bytes have passed than were measured', async () => {
    const stage = meter('meter:stored', { measured: () => ({ bytes: content.length + 1, sha256: 'f00d' }) });
    await expect(collect(sourceOf(content).pipe(stage.stream))).rejects.toThrow(
      `meter:stored saw ${content.length} bytes pass, and ${content.length + 1} had been measured`,
    );
  });
});

describe('enforce', () => {
  const expected = { what: 'the dump', bytes: content.length, sha256: sha256(content) };
  const through = (data: Buffer, expectation: Parameters<typeof enforce>[0]) =>
    collect(sourceOf(data).pipe(enforce(expectation).stream));

  test('passes what was recorded, also the empty stream', async () => {
    expect((await through(content, expected)).equals(content)).toBe(true);
    const none = Buffer.alloc(0);
    expect(await through(none, { what: 'the dump', bytes: 0, sha256: sha256(none) })).toEqual(none);
  });

  test('refuses one byte less, one byte more and one bit changed, naming both values', async () => {
    await expect(through(content.subarray(1), expected)).rejects.toMatchObject({
      code: 'INTEGRITY',
      message: 'the dump is shorter than recorded: expected 200000 bytes, found 199999',
    });
    await expect(through(Buffer.concat([content, content.subarray(0, 1)]), expected)).rejects.toMatchObject({
      code: 'INTEGRITY',
      message: 'the dump is larger than recorded: expected 200000 bytes, found at least 200001',
    });
    const flipped = Buffer.from(content);
    flipped.writeUInt8(flipped.readUInt8(777) ^ 1, 777);
    await expect(through(flipped, expected)).rejects.toMatchObject({
      code: 'INTEGRITY',
      message: expect.stringContaining(`expected sha256 ${sha256(content)}, found ${sha256(flipped)}`),
      hint: expect.stringContaining('another destination'),
    });
  });

  test('lets no more than the limit pass', async () => {
    const stage = enforce({ what: 'the sidecar', maxBytes: 10 });
    let passed = 0;
    stage.stream.on('data', (chunk: Buffer) => {
      passed += chunk.length;
    });
    stage.stream.write(Buffer.alloc(10));
    stage.stream.end(Buffer.alloc(1));
    const error = await new Promise((resolve) => stage.stream.once('error', resolve));
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(passed).toBe(10);
  });
});
