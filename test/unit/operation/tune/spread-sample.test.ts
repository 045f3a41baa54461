import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SpreadSample } from '../../../../src/operation/tune/spread-sample.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-sample-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
function newPath(): string {
  count += 1;
  return join(folder, `sample-${count}`);
}

/** A stream that tells its own place: every four bytes are their number. */
function numbered(words: number): Buffer {
  const bytes = Buffer.alloc(words * 4);
  for (let word = 0; word < words; word += 1) bytes.writeUInt32BE(word, word * 4);
  return bytes;
}

async function sampled(stream: Buffer, limit: number, chunk: number) {
  const path = newPath();
  const sample = await SpreadSample.create(path, limit);
  try {
    for (let at = 0; at < stream.length; at += chunk) await sample.add(stream.subarray(at, at + chunk));
    const kept = Buffer.concat(await sample.read().toArray());
    const again = Buffer.concat(await sample.read().toArray());
    expect(again.equals(kept)).toBe(true);
    return { kept, size: (await stat(path)).size, mode: (await stat(path)).mode & 0o777, ...pick(sample) };
  } finally {
    await sample.close();
  }
}

const pick = ({ seen, bytes, pieces }: SpreadSample) => ({ seen, bytes, pieces });

describe('a sample', () => {
  test('of a stream that fits is the stream', async () => {
    const stream = numbered(4000);
    const { kept, mode, seen } = await sampled(stream, 16_000, 333);
    expect(kept.equals(stream)).toBe(true);
    expect(seen).toBe(16_000);
    expect(mode).toBe(0o600);
  });

  test('of any stream is bounded, in order, whole pieces, and spread to its end', async () => {
    const cases = fc.record({
      words: fc.integer({ min: 1, max: 60_000 }),
      pieceWords: fc.integer({ min: 1, max: 64 }),
      chunk: fc.integer({ min: 1, max: 5000 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ words, pieceWords, chunk }) => {
        const [limit, pieceBytes] = [pieceWords * 4 * 16, pieceWords * 4];
        const stream = numbered(words);
        const { kept, size, seen, bytes, pieces } = await sampled(stream, limit, chunk);
        expect({ seen, bytes }).toEqual({ seen: stream.length, bytes: kept.length });
        expect(size).toBeLessThanOrEqual(limit);
        // At least half of what may be kept, or everything.
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(stream.length, limit / 2 - pieceBytes));
        const begins = Array.from({ length: pieces }, (_, index) => kept.readUInt32BE(index * pieceBytes) * 4);
        const steps = new Set(begins.slice(1).map((begin, index) => begin - (begins[index] ?? 0)));
        expect(begins[0]).toBe(0);
        expect(steps.size).toBeLessThanOrEqual(1);
        for (const [index, begin] of begins.entries()) {
          const piece = kept.subarray(index * pieceBytes, (index + 1) * pieceBytes);
          expect(piece.equals(stream.subarray(begin, begin + piece.length))).toBe(true);
        }
        const [step = stream.length] = steps;
        expect(stream.length - (begins.at(-1) ?? 0)).toBeLessThanOrEqual(step + pieceBytes);
      }),
      { numRuns: 60 },
    );
  });

  test('refuses to write over a file', async () => {
    const path = newPath();
    await (await SpreadSample.create(path, 100)).close();
    await expect(SpreadSample.create(path, 100)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
