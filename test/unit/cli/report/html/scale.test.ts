import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleOf, timeTicks } from '../../../../../src/cli/report/html/scale.ts';

const day = 86_400_000;

describe('an axis of values', () => {
  it.each([
    [48e6, 'bytes', ['0', '20 MB', '40 MB', '60 MB']],
    [3.04e6, 'bytes', ['0', '2 MB', '4 MB']],
    [999, 'bytes', ['0', '500 B', '1 kB']],
    [1, 'bytes', ['0', '1 B', '2 B']],
    [0, 'bytes', ['0', '1 B', '2 B']],
    [5500, 'ms', ['0', '2 s', '4 s', '6 s']],
    [140_000, 'ms', ['0', '1 min', '2 min', '3 min']],
    [7 * 3_600_000, 'ms', ['0', '3 h', '6 h', '9 h']],
    [120, 'ms', ['0', '50 ms', '100 ms', '150 ms']],
  ] as const)('up to %i %s is labelled with round values', (largest, unit, labels) => {
    expect(scaleOf(largest, unit).ticks.map(({ label }) => label)).toEqual(labels);
  });

  it('begins at zero and reaches every value, in two to four steps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), fc.constantFrom('bytes', 'ms'), (largest, unit) => {
        const { top, ticks } = scaleOf(largest, unit);
        expect(top).toBeGreaterThanOrEqual(largest);
        expect(ticks[0]).toEqual({ at: 0, label: '0' });
        expect(ticks.at(-1)?.at).toBe(1);
        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(5);
        expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      }),
    );
  });
});

describe('an axis of time', () => {
  it('has round local moments, not too many, none after its end', () => {
    const from = new Date(2026, 7, 28, 3);
    const to = new Date(2026, 10, 27, 3);
    const ticks = timeTicks(from, to, 7, new Date(2026, 10, 26));
    expect(ticks.map(({ label }) => label)).toEqual(['11 Sep', '25 Sep', '9 Oct', '23 Oct', '6 Nov', '20 Nov']);
  });

  it('tells hours of a day, and years of a decade', () => {
    const from = new Date(2026, 10, 20);
    const hours = timeTicks(from, new Date(2026, 10, 21), 7).map(({ label }) => label);
    expect(hours).toEqual(['20 Nov', '06:00', '12:00', '18:00', '21 Nov']);
    const years = timeTicks(new Date(2016, 0, 1), new Date(2026, 0, 1), 7).map(({ label }) => label);
    expect(years[1]).toBe('Jan 2018');
  });

  it('is bounded whatever the clock says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 40 * 365 * day }), (span) => {
        const from = new Date(2000, 0, 1);
        const ticks = timeTicks(from, new Date(from.getTime() + span), 7);
        expect(ticks.length).toBeLessThanOrEqual(8);
        expect(ticks.every(({ at }) => at >= 0 && at <= 1)).toBe(true);
      }),
    );
  });
});
