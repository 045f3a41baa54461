import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  maxPartBytes,
  mostParts,
  type PartPlan,
  type PlanWish,
  planParts,
  smallestPartBytes,
} from '../../../../src/destination/s3/planner.ts';
import { DbBackupError } from '../../../../src/errors.ts';

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const terabyte = 1e12;

/** What providers allow, by their manuals. */
const providers: Readonly<Record<string, PlanWish>> = {
  'AWS, MinIO, Ceph, Wasabi, B2': {},
  'Cloudflare R2': { uniform: true },
  'Scaleway, Swift': { maxParts: 1000 },
  'a store with both': { maxParts: 1000, uniform: true },
};

/** Parts needed for an object of so many bytes, as an upload would cut them. */
function cut(plan: PartPlan, bytes: number): number[] {
  const sizes: number[] = [];
  for (let rest = bytes; rest > 0; ) {
    const size = Math.min(rest, plan.sizeOf(sizes.length));
    sizes.push(size);
    rest -= size;
  }
  return sizes;
}

function outcome(wish: PlanWish): PartPlan | DbBackupError {
  try {
    return planParts(wish);
  } catch (error) {
    if (error instanceof DbBackupError) return error;
    throw error;
  }
}

function expectWithin({ maxParts = mostParts, uniform }: PlanWish, sizes: readonly number[], largest: number): void {
  const allButLast = sizes.slice(0, -1);
  expect(sizes.length).toBeLessThanOrEqual(maxParts);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(largest);
  expect(Math.min(...allButLast, maxPartBytes)).toBeGreaterThanOrEqual(smallestPartBytes);
  if (uniform) expect(new Set(allButLast).size).toBeLessThanOrEqual(1);
}

describe('planParts', () => {
  it('reaches 867 GiB of unknown length within the usual memory', () => {
    const plan = planParts({});
    expect([0, 999, 1000, 2000, 3000, 4000, 9999].map((index) => plan.sizeOf(index) / mebibyte)).toEqual([
      8, 8, 16, 32, 64, 128, 128,
    ]);
    expect(Math.floor(plan.capacity / gibibyte)).toBe(867);
  });

  it('takes whatever AWS takes when it may spool and knows the size', () => {
    const largest = mostParts * maxPartBytes;
    expect(planParts({ spool: true, estimatedBytes: largest }).capacity).toBe(largest);
    expect(outcome({ spool: true, estimatedBytes: largest + 1 })).toBeInstanceOf(DbBackupError);
  });

  it('keeps the parts equal where the provider wants it, in memory while the length is unknown', () => {
    const plan = planParts({ uniform: true, spool: true });
    expect(new Set(Array.from({ length: mostParts }, (_, index) => plan.sizeOf(index)))).toEqual(
      new Set([128 * mebibyte]),
    );
    expect(planParts({ uniform: true, estimatedBytes: gibibyte }).sizeOf(0)).toBe(8 * mebibyte);
  });

  it('begins with the size that the user chose', () => {
    expect(planParts({ partBytes: 5 * mebibyte }).sizeOf(0)).toBe(5 * mebibyte);
  });

  const cases = Object.entries(providers).flatMap(([name, limits]) =>
    [false, true].map((spool) => ({ name, limits, spool })),
  );
  it.each(cases)('F19 fits, spools or refuses 1 byte to 5 TB at $name (spool: $spool)', ({ limits, spool }) => {
    const sizesTried = [1, ...Array.from({ length: 14 }, (_, power) => 1000 * 5 ** power), 5 * terabyte];
    const refused: number[] = [];
    for (const estimatedBytes of sizesTried) {
      const wish = { ...limits, spool, estimatedBytes };
      const plan = outcome(wish);
      if (plan instanceof DbBackupError) {
        expect(plan).toMatchObject({ exitCode: 4, hint: expect.stringMatching(spool ? /Split/ : /spool/) });
        refused.push(estimatedBytes);
        continue;
      }
      expectWithin(limits, cut(plan, estimatedBytes), spool ? maxPartBytes : 128 * mebibyte);
    }
    // Without a spool no part may exceed half the memory; with one, everything up to 5 TB fits.
    const inMemory = (limits.maxParts ?? mostParts) * 128 * mebibyte;
    expect(refused).toEqual(sizesTried.filter((bytes) => !spool && bytes > inMemory));
  });

  it('never leaves the limits, whatever is wished', () => {
    const wishes = fc.record({
      estimatedBytes: fc.option(fc.integer({ min: 0, max: 60 * 2 ** 40 }), { nil: undefined }),
      partBytes: fc.option(fc.integer({ min: smallestPartBytes, max: 64 * mebibyte }), { nil: undefined }),
      maxParts: fc.option(fc.integer({ min: 1, max: mostParts }), { nil: undefined }),
      memoryBytes: fc.integer({ min: 128 * mebibyte, max: 8 * gibibyte }),
      uniform: fc.boolean(),
      spool: fc.boolean(),
    });
    fc.assert(
      fc.property(wishes, (wish) => {
        const plan = outcome(wish);
        if (plan instanceof DbBackupError) return plan.code === 'DESTINATION_FAILED' && plan.hint !== undefined;
        const sizes = Array.from({ length: plan.maxParts }, (_, index) => plan.sizeOf(index));
        const largest = wish.spool ? maxPartBytes : Math.min(maxPartBytes, wish.memoryBytes / 2);
        return (
          plan.maxParts === (wish.maxParts ?? mostParts) &&
          sizes.every((size, index) => size >= (sizes[index - 1] ?? smallestPartBytes) && size <= largest) &&
          sizes.reduce((sum, size) => sum + size, 0) === plan.capacity &&
          plan.capacity >= (wish.estimatedBytes ?? 0)
        );
      }),
      { numRuns: 300 },
    );
  });
});
