import { describe, expect, test } from 'vitest';
import { type Circumstances, forecast, type Preference, recommend } from '../../../../src/operation/tune/forecast.ts';
import type { Tried } from '../../../../src/operation/tune/try-codec.ts';

const mb = 1e6;

function tried(type: 'none' | 'zstd', level: number, rate: number, share: number): Tried {
  // Two processors at work.
  return { candidate: { type, level }, rate: rate * mb, share, cost: 2 / (rate * mb) };
}

const all = [
  tried('none', 0, 2000, 1),
  tried('zstd', 1, 400, 0.3),
  tried('zstd', 3, 300, 0.25),
  tried('zstd', 6, 120, 0.22),
  tried('zstd', 12, 30, 0.2),
  tried('zstd', 19, 4, 0.18),
];

const given: Circumstances = { dumpRate: 100 * mb, dumpCost: 0, prepareSeconds: 5, free: 8, totalBytes: 10_000 * mb };

function recommended(circumstances: Circumstances, prefer: Preference = 'balance') {
  const { candidate, why } = recommend(
    all.map((each) => forecast(each, circumstances)),
    prefer,
  );
  return { level: candidate.level, why };
}

describe('the forecast', () => {
  test('the slowest part alone decides', () => {
    const limits = all.map((each) => forecast(each, given).limit);
    expect(limits).toEqual(['dump', 'dump', 'dump', 'dump', 'compression', 'compression']);
    expect(forecast(all[1] as Tried, given)).toMatchObject({ runRate: 100 * mb, seconds: 105, storedBytes: 3000 * mb });
    expect(forecast(all[5] as Tried, given).seconds).toBe(5 + 2500);
  });

  test('a slow line takes stored bytes, not raw ones', () => {
    const slow = forecast(all[0] as Tried, { ...given, uploadRate: 10 * mb });
    expect(slow).toMatchObject({ limit: 'destination', runRate: 10 * mb });
    expect(forecast(all[1] as Tried, { ...given, uploadRate: 10 * mb }).runRate).toBeCloseTo(33.3 * mb, -5);
  });

  test('dump and compression share the processors', () => {
    // One processor second for 100 MB of dump and one for 60 MB of zstd 6, of which there is one a second.
    const crowded = { ...given, dumpCost: 1 / (100 * mb), free: 1 };
    const found = forecast(all[3] as Tried, crowded);
    expect(found.limit).toBe('processors');
    expect(found.runRate).toBeCloseTo(mb / (1 / 100 + 2 / 120), -2);
  });

  test('without a size there is no time, and still a recommendation', () => {
    const found = forecast(all[1] as Tried, { ...given, totalBytes: undefined });
    expect(found).not.toHaveProperty('seconds');
    expect(recommended({ ...given, totalBytes: undefined }).level).toBe(6);
  });
});

describe('the recommendation', () => {
  test('is the smallest that keeps up with the dump', () => {
    expect(recommended(given)).toEqual({ level: 6, why: expect.stringMatching(/keeps up with the dump/) });
    expect(recommended({ ...given, dumpRate: 250 * mb }).level).toBe(3);
    expect(recommended({ ...given, dumpRate: 3 * mb }).level).toBe(19);
  });

  test('is a small one where the line is slow', () => {
    const found = recommended({ ...given, uploadRate: 2 * mb });
    expect(found).toEqual({ level: 12, why: expect.stringMatching(/destination/) });
  });

  test('may be asked to go by size or by speed', () => {
    expect(recommended(given, 'size')).toEqual({ level: 19, why: expect.stringMatching(/smallest of all/) });
    expect(recommended({ ...given, dumpRate: 350 * mb }, 'speed').level).toBe(1);
    expect(recommended({ ...given, dumpRate: 2000 * mb }, 'speed').level).toBe(0);
  });

  test('does not haggle about a second', () => {
    expect(recommended({ ...given, totalBytes: 4 * mb }).level).toBe(19);
  });

  test('takes the cheaper of two that are as good as equal', () => {
    const twins = [tried('zstd', 8, 100, 0.2), tried('zstd', 7, 110, 0.2005)];
    const { candidate } = recommend(
      twins.map((each) => forecast(each, { ...given, dumpRate: 50 * mb })),
      'balance',
    );
    expect(candidate.level).toBe(7);
  });
});
