import { expect, it } from 'vitest';
import { describeCounts, formatAge, plural, successRate } from '../../../../src/cli/report/figures.ts';
import { describeRules } from '../../../../src/retention/describe-rules.ts';

const hour = 3_600_000;

it.each([
  [0, 'just now'],
  [59_999, 'just now'],
  [60_000, '1 min ago'],
  [hour - 1, '59 min ago'],
  [47 * hour, '47 h ago'],
  [48 * hour, '2 d ago'],
  [-30_000, 'just now'],
  [-2 * hour, 'in the future'],
])('an age of %i ms is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

it('never rounds a failure away', () => {
  const counts = {
    total: 5000,
    good: 4999,
    partial: 0,
    suspect: 0,
    cancelled: 0,
    failed: 1,
    running: 0,
    fromSidecars: 0,
  };
  expect(successRate(counts)).toBe('99%');
  expect(successRate({ ...counts, good: 5000, failed: 0 })).toBe('100%');
  expect(successRate({ ...counts, total: 1, good: 0, failed: 0, running: 1 })).toBeUndefined();
});

it('counts in words', () => {
  const none = { total: 7, good: 4, partial: 0, suspect: 1, cancelled: 0, failed: 2, running: 0, fromSidecars: 0 };
  expect(describeCounts(none)).toBe('4 good, 1 suspect, 2 failed');
  expect(describeCounts({ ...none, good: 0, running: 1 })).toBe('0 good, 1 suspect, 2 failed, 1 not ended');
  expect([plural(1, 'run'), plural(0, 'run'), plural(5000, 'run')]).toEqual(['1 run', '0 runs', '5,000 runs']);
});

it('says what a retention keeps', () => {
  expect(describeRules({ last: 7, monthly: 12, withinMs: 30 * 24 * hour, minimum: 3 })).toBe(
    'last 7, monthly 12, within 30 d, minimum 3',
  );
  expect(describeRules({ withinMs: 1.5 * hour })).toBe('within 1.5 h');
  expect(describeRules({ minimum: 3 })).toBeUndefined();
});
