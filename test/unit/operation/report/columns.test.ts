import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../../../src/operation/report/columns.ts';
import type { Run, RunOutcome } from '../../../../src/operation/report/report.ts';

const day = 86_400_000;
const now = new Date(2026, 10, 26, 12);

function run(startedAt: number, storedBytes: number | undefined, outcome: RunOutcome = 'good'): Run {
  const status = outcome === 'good' ? 'completed' : outcome === 'failed' ? 'failed' : 'partial';
  return { startedAt: new Date(startedAt), trigger: 'schedule', status, outcome, storedBytes, durationMs: storedBytes };
}

/** Oldest first; the newest 9 hours ago, each a little early or late. */
function nightly(count: number): Run[] {
  return Array.from({ length: count }, (_, index) => {
    const late = ((index * 7919) % 100) * 30_000;
    return run(now.getTime() - 9 * 3_600_000 - (count - 1 - index) * day + late, 1000 + index);
  });
}

describe('columns', () => {
  it('are none without a run, or with one that has not ended', () => {
    expect(columnsOf([], now, 60)).toEqual([]);
    expect(columnsOf([run(now.getTime(), undefined, 'running')], now, 60)).toEqual([]);
  });

  it('hold one run at the right, with a before that is empty', () => {
    const columns = columnsOf([run(now.getTime() - 1000, 77)], now, 60);
    expect(columns).toHaveLength(12);
    expect(columns.map(({ good }) => good)).toEqual([...Array(11).fill(0), 1]);
    expect(columns.at(-1)).toMatchObject({ storedBytes: { min: 77, max: 77 }, warned: 0, failed: 0 });
  });

  it('give each night its own, and invent no gap where one is a little late', () => {
    const columns = columnsOf(nightly(90), now, 120);
    expect(columns.map(({ good }) => good)).toEqual(Array(90).fill(1));
    expect(columns.map(({ storedBytes }) => storedBytes?.max)).toEqual(Array.from({ length: 90 }, (_, i) => 1000 + i));
  });

  it('show nights without a run as empty', () => {
    const missing = nightly(90).filter((_, index) => index < 40 || index >= 43);
    const columns = columnsOf(missing, now, 120);
    expect(columns.map(({ good }) => good)).toEqual([...Array(40).fill(1), 0, 0, 0, ...Array(47).fill(1)]);
  });

  it('show that nothing has run since', () => {
    const columns = columnsOf(nightly(60).slice(0, 50), now, 120);
    expect(columns.slice(-10).every(({ good }) => good === 0)).toBe(true);
  });

  it('lose nothing of many: the smallest, the largest, every failure', () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      index === 2500 ? run(index * 60_000, undefined, 'failed') : run(index * 60_000, index === 1234 ? 1 : 1000),
    );
    const columns = columnsOf(many, new Date(5000 * 60_000), 120);
    expect(columns.length).toBeLessThanOrEqual(120);
    expect(Math.min(...columns.map(({ storedBytes }) => storedBytes?.min ?? Number.POSITIVE_INFINITY))).toBe(1);
    expect(columns.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
  });

  it('count every run once, whatever the times', () => {
    const time = fc.integer({ min: 0, max: 2 * now.getTime() });
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), fc.integer({ min: 12, max: 150 }), (times, most) => {
        const runs = times.sort((a, b) => a - b).map((at) => run(at, 5));
        const columns = columnsOf(runs, now, most);
        expect(columns.length).toBeLessThanOrEqual(most);
        expect(columns.reduce((sum, { good }) => sum + good, 0)).toBe(runs.length);
        for (const [index, column] of columns.entries()) {
          expect(Math.abs(column.to.getTime() - (columns[index + 1]?.from ?? column.to).getTime())).toBeLessThan(2);
        }
      }),
    );
  });
});
