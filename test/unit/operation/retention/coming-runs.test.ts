import { expect, test } from 'vitest';
import type { Candidate } from '../../../../src/operation/retention/candidate.ts';
import { comingRuns } from '../../../../src/operation/retention/coming-runs.ts';
import { forecast } from '../../../../src/retention/forecast.ts';

const now = new Date('2026-11-20T12:00:00Z');
const dayMs = 86_400_000;

/** @param ages in seconds, newest first */
function backups(trigger: string, ...ages: number[]): Candidate[] {
  return ages.map((age) => ({
    key: `${age}`,
    startedAt: new Date(now.getTime() - age * 1000),
    protectedBy: [],
    verified: false,
    stored: { sidecar: { trigger } } as Candidate['stored'],
  }));
}

test('the schedule says when the next run comes, whatever earlier runs did', () => {
  const schedule = { kind: 'cron', expression: '0 3 * * *', timezone: 'UTC' } as const;
  const made = backups('unattended', 10, 93, 176, 259, 342);
  const told = forecast(made, { last: 3 }, now, 30, comingRuns({ schedule }, made, now));
  expect(told.slice(2).map(({ at }) => at.toISOString())).toEqual([
    '2026-11-21T03:00:00.000Z',
    '2026-11-22T03:00:00.000Z',
    '2026-11-23T03:00:00.000Z',
  ]);
});

test('what a person started within minutes is no rhythm; what a machine started is', () => {
  const next = (made: Candidate[]) => comingRuns({}, made, now)(now)?.getTime() ?? 0;
  expect(next(backups('manual', 10, 93, 176, 259, 342)) - now.getTime()).toBe(dayMs - 10_000);
  expect(next(backups('cron', 600, 4200, 7800, 11_400)) - now.getTime()).toBe(3_000_000);
});
