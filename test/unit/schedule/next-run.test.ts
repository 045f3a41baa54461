import { describe, expect, test } from 'vitest';
import { nextRuns } from '../../../src/schedule/next-run.ts';
import type { Schedule } from '../../../src/schedule/schedule.ts';
import { cron, interval } from './sample.ts';

/** The next runs in UTC, to the minute. */
function runs(schedule: Schedule, after: string, count: number): string[] {
  return nextRuns(schedule, new Date(after), count).map((at) => at.toISOString().slice(5, 16));
}

describe('where clocks change', () => {
  test('a nightly time that is skipped comes when the clock has jumped', () => {
    expect(runs(cron('30 2 * * *', 'Europe/Zurich'), '2026-03-27T12:00Z', 3)).toEqual([
      '03-28T01:30',
      '03-29T01:00',
      '03-30T00:30',
    ]);
  });

  test('one that is there twice comes once, also from a list', () => {
    expect(runs(cron('30 2 * * *', 'Europe/Zurich'), '2026-10-24T12:00Z', 2)).toEqual(['10-25T00:30', '10-26T01:30']);
    expect(runs(cron('30 2,14 * * *', 'Europe/Zurich'), '2026-10-25T00:00Z', 2)).toEqual([
      '10-25T00:30',
      '10-25T13:30',
    ]);
  });

  test('every hour stays every hour', () => {
    expect(runs(cron('30 * * * *', 'Europe/Zurich'), '2026-10-24T23:00Z', 3)).toEqual([
      '10-24T23:30',
      '10-25T00:30',
      '10-25T01:30',
    ]);
    expect(runs(cron('30 * * * *', 'Europe/Zurich'), '2026-03-29T00:00Z', 2)).toEqual(['03-29T00:30', '03-29T01:30']);
  });

  test('half an hour, at Lord Howe', () => {
    expect(runs(cron('15 2 * * *', 'Australia/Lord_Howe'), '2026-10-02T20:00Z', 2)).toEqual([
      '10-03T15:30',
      '10-04T15:15',
    ]);
  });

  test('whole days are those of the timezone, whatever their length', () => {
    expect(runs(interval('2d', 2 * 24, 'Europe/Zurich'), '2026-03-27T12:00Z', 3)).toEqual([
      '03-27T23:00',
      '03-29T22:00',
      '03-31T22:00',
    ]);
  });
});

describe('days of month and of week', () => {
  test.each([
    ['either, where both are restricted', '0 0 13 * 5', ['01-02', '01-09', '01-13', '01-16']],
    ['either, also when one is restricted to all', '0 0 1-31 * 1', ['01-02', '01-03', '01-04', '01-05']],
    ['both, where one begins with a star', '0 0 */2 * 1', ['01-05', '01-19', '02-09', '02-23']],
    ['the other one alone', '0 0 * * 1', ['01-05', '01-12', '01-19', '01-26']],
    ['Sunday by either number', '0 0 * * 7', ['01-04', '01-11', '01-18', '01-25']],
  ])('%s', (_, expression, days) => {
    const found = runs(cron(expression, 'UTC'), '2026-01-01T00:00Z', 4);
    expect(found).toEqual(days.map((day) => `${day}T00:00`));
  });
});

describe('every', () => {
  test.each([
    ['what divides a day is counted from midnight in the timezone', '6h', 6, 'Europe/Zurich', ['04:00', '10:00']],
    ['what divides an hour from the hour', '15m', 0.25, 'Asia/Kathmandu', ['00:15', '00:30']],
    ['anything else from 1970-01-01 in UTC', '7h', 7, 'Europe/Zurich', ['07:00', '14:00']],
  ])('%s', (_, text, hours, timezone, times) => {
    const found = runs(interval(text, hours, timezone), '2026-07-01T00:00Z', 2);
    const counted =
      text === '7h' ? [sinceEpoch(7, '2026-07-01T00:00Z', 1), sinceEpoch(7, '2026-07-01T00:00Z', 2)] : times;
    expect(found.map((at) => at.slice(6))).toEqual(counted);
  });
});

function sinceEpoch(hours: number, after: string, nth: number): string {
  const passed = Math.floor(Date.parse(after) / (hours * 3_600_000));
  return new Date((passed + nth) * hours * 3_600_000).toISOString().slice(11, 16);
}
