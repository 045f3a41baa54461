import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCalendar } from '../../../src/retention/calendar.ts';
import { forecast, paced, usualIntervalMs } from '../../../src/retention/forecast.ts';
import { plan } from '../../../src/retention/plan.ts';
import type { ProtectionRule, RetentionCandidate, RetentionRules } from '../../../src/retention/retention.ts';
import { referenceKeep } from './reference.ts';

/** Longer campaigns: DBBACKUP_TEST_ROUNDS=20000. fast-check prints the seed of a failure. */
const numRuns = Number(process.env['DBBACKUP_TEST_ROUNDS'] ?? 400);
const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];
const now = new Date('2026-11-20T03:00:00Z');

/** Half-hour summer time, switches one minute after midnight, a day left out, a country that shifts for Ramadan … */
const zones = [
  ...['UTC', 'Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Kathmandu'],
  ...['America/Asuncion', 'Pacific/Apia', 'Africa/Casablanca', 'America/Havana'],
];

/** Newest backup of a history; near a change of the clocks somewhere, or near now. */
const anchors = [
  ...['2026-10-25T03:30:00Z', '2026-03-29T02:30:00Z', '2026-11-01T08:00:00Z', '2026-04-04T16:00:00Z'],
  ...['2010-11-07T04:00:00Z', '2011-12-31T12:00:00Z', '2026-11-20T02:59:00Z', '2027-01-01T00:30:00Z'],
].map((text) => Date.parse(text));

const gap = fc.oneof(
  ...[fc.constant(0), fc.integer({ min: 1, max: 90 * minuteMs }), fc.constant(hourMs), fc.constant(30 * minuteMs)],
  ...[fc.constant(dayMs), fc.integer({ min: hourMs, max: 9 * dayMs }), fc.integer({ min: dayMs, max: 500 * dayMs })],
);
const protection = fc.constantFrom<ProtectionRule>('locked', 'suspect', 'damaged', 'unreadable', 'foreign');
const oneBackup = fc.record({
  gap,
  protectedBy: fc.oneof(
    { weight: 4, arbitrary: fc.constant<ProtectionRule[]>([]) },
    { weight: 1, arbitrary: fc.array(protection) },
  ),
  verified: fc.boolean(),
});

const history = fc
  .tuple(fc.constantFrom(...anchors), fc.integer({ min: -hourMs, max: hourMs }), fc.array(oneBackup, { maxLength: 60 }))
  .map(([anchor, jitter, backups]) => {
    let time = anchor + jitter;
    return backups.map(({ gap, protectedBy, verified }, index): RetentionCandidate => {
      time -= gap;
      const reasons = protectedBy.map((rule) => ({ rule, text: rule }));
      return { key: `k${index}`, startedAt: new Date(time), protectedBy: reasons, verified };
    });
  });

const count = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const rules: fc.Arbitrary<RetentionRules> = fc.record({
  ...{ last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count },
  withinMs: fc.option(fc.integer({ min: hourMs, max: 60 * dayMs }), { nil: undefined }),
  minimum: count,
  timezone: fc.constantFrom(...zones),
});

function kept(
  backups: readonly RetentionCandidate[],
  wish: RetentionRules,
  at = now,
  calendar = openCalendar(wish.timezone),
): ReadonlySet<string> {
  const decisions = plan(backups, wish, at, calendar);
  return new Set(decisions.filter(({ action }) => action === 'keep').map(({ backup }) => backup.key));
}

function hourly(hours: number, from: string): RetentionCandidate[] {
  const at = (index: number) => new Date(Date.parse(from) + index * hourMs);
  return Array.from({ length: hours }, (_, i) => ({
    ...{ key: `h${i}`, startedAt: at(i), protectedBy: [], verified: false },
  }));
}

describe('over random histories and rules', () => {
  test('keeps exactly what the reference keeps', () => {
    fc.assert(
      fc.property(history, rules, (backups, wish) => {
        expect([...kept(backups, wish)].sort()).toEqual([...referenceKeep(backups, wish, now)].sort());
      }),
      { numRuns },
    );
  });

  test('never deletes what it must keep', () => {
    fc.assert(
      fc.property(history, rules, (backups, wish) => {
        const stays = kept(backups, wish);
        const isFuture = ({ startedAt }: RetentionCandidate) => startedAt.getTime() > now.getTime() + 600_000;
        const untouchable = backups.filter((each) => each.protectedBy.length > 0 || isFuture(each));
        const good = backups.filter((each) => !untouchable.includes(each));
        const times = (some: readonly RetentionCandidate[]) => some.map(({ startedAt }) => startedAt.getTime());
        const survivors = good.filter(({ key }) => stays.has(key));
        expect(untouchable.filter(({ key }) => !stays.has(key))).toEqual([]);
        expect(Math.max(...times(survivors))).toBe(Math.max(...times(good)));
        expect(Math.max(...times(survivors.filter((each) => each.verified)))).toBe(
          Math.max(...times(good.filter((each) => each.verified))),
        );
        expect(survivors.length).toBeGreaterThanOrEqual(Math.min(wish.minimum ?? 1, good.length));
      }),
      { numRuns },
    );
  });

  test('protected and future ones change nothing for the others, nor does the order of the list', () => {
    fc.assert(
      fc.property(history, rules, fc.integer(), (backups, wish, seed) => {
        const isGood = ({ protectedBy, startedAt }: RetentionCandidate) =>
          protectedBy.length === 0 && startedAt.getTime() <= now.getTime() + 600_000;
        const alone = kept(backups.filter(isGood), wish);
        const shuffled = [...backups].sort((a, b) => hash(a.key, seed) - hash(b.key, seed));
        const together = kept(shuffled, wish);
        expect(backups.filter((each) => isGood(each) && together.has(each.key) !== alone.has(each.key))).toEqual([]);
      }),
      { numRuns },
    );
  });

  test('gives a reason for each, and all that apply', () => {
    fc.assert(
      fc.property(history, rules, (backups, wish) => {
        const decisions = plan(backups, wish, now);
        expect(decisions).toHaveLength(backups.length);
        for (const { backup, reasons } of decisions) {
          expect(reasons.length).toBeGreaterThan(0);
          expect(reasons).toEqual(expect.arrayContaining([...backup.protectedBy]));
        }
      }),
      { numRuns },
    );
  });
});

function hash(text: string, seed: number): number {
  return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, seed);
}

describe('plan', () => {
  test('without a rule keeps everything, whatever the minimum', () => {
    expect(kept(hourly(50, '2026-11-01T00:00:00Z'), { minimum: 1 }).size).toBe(50);
  });

  test('counts the hour that is lived twice as two', () => {
    const night = hourly(4, '2026-10-24T23:30:00Z');
    const reasons = plan(night, { hourly: 4, timezone: 'Europe/Zurich' }, now).map((each) => each.reasons[0]?.text);
    expect(reasons).toEqual([
      'hourly 2026-10-25 03h+0100 (1 of 4)',
      'hourly 2026-10-25 02h+0100 (2 of 4)',
      'hourly 2026-10-25 02h+0200 (3 of 4)',
      'hourly 2026-10-25 01h+0200 (4 of 4)',
    ]);
  });

  test('cuts days where the timezone does', () => {
    const backups = hourly(3, '2026-11-18T22:00:00Z');
    expect([...kept(backups, { daily: 2, timezone: 'Europe/Zurich' })]).toEqual(['h2', 'h0']);
    expect([...kept(backups, { daily: 2, timezone: 'UTC' })]).toEqual(['h2', 'h1']);
  });

  test('has ISO weeks: 2027-01-03 is a Sunday of 2026-W53', () => {
    const sunday: RetentionCandidate = {
      ...{ key: 'a', startedAt: new Date('2027-01-03T12:00:00Z'), protectedBy: [], verified: false },
    };
    const [decision] = plan([sunday], { weekly: 1, timezone: 'UTC' }, new Date('2027-02-01T00:00:00Z'));
    expect(decision?.reasons[0]?.text).toBe('weekly 2026-W53 (1 of 1)');
  });

  test('says all the reasons of one that serves several tiers', () => {
    const [decision] = plan(hourly(1, '2026-11-20T00:00:00Z'), { last: 1, daily: 1, yearly: 2, timezone: 'UTC' }, now);
    expect(decision?.reasons.map(({ rule }) => rule)).toEqual(['last', 'daily', 'yearly', 'newest']);
  });

  test('keeps the oldest while a tier is not full, so that a first yearly backup comes to exist', () => {
    const backups = hourly(24 * 40, '2026-10-10T00:00:00Z');
    expect([...kept(backups, { last: 1, yearly: 2, timezone: 'UTC' })]).toEqual(['h959', 'h0']);
    expect([...kept(backups, { last: 1, yearly: 1, timezone: 'UTC' })]).toEqual(['h959']);
  });

  test('F39 a clock that is a little ahead is believed, one that is far ahead is not', () => {
    const at = (key: string, minutes: number): RetentionCandidate => {
      return { key, startedAt: new Date(now.getTime() + minutes * minuteMs), protectedBy: [], verified: false };
    };
    expect([...kept([at('before', -5), at('ahead', 9)], { last: 1 })]).toEqual(['ahead']);
    expect([...kept([at('before', -5), at('far', 11)], { last: 1 })].sort()).toEqual(['before', 'far']);
  });

  test('F39 one backup after a month of silence does not empty the window', () => {
    const before = hourly(240, '2026-09-01T00:00:00Z');
    const after = { ...hourly(1, '2026-11-01T00:00:00Z')[0], key: 'after' } as RetentionCandidate;
    expect(kept([...before, after], { withinMs: 2 * dayMs }).size).toBe(1 + 49);
  });

  test('a window beside a sparse tier takes nothing from beyond itself', () => {
    const daily = hourly(24 * 10, '2026-11-09T00:00:00Z').filter((_, index) => index % 24 === 0);
    const monthly = hourly(1, '2026-10-01T00:00:00Z').map((each) => ({ ...each, key: 'monthly' }));
    const decisions = plan([...daily, ...monthly], { withinMs: 9 * dayMs, monthly: 2, timezone: 'UTC' }, now);
    expect(decisions.at(-1)?.reasons.map(({ rule }) => rule)).toEqual(['monthly']);
  });
});

describe('a year of hourly backups, pruned after each', () => {
  const wish = { last: 3, hourly: 24, daily: 14, weekly: 8, monthly: 12, yearly: 3, timezone: 'Europe/Zurich' };
  const year = hourly(365 * 24, '2025-11-20T00:00:00Z');

  test('leaves what the reference keeps of the whole year', () => {
    let stored: RetentionCandidate[] = [];
    let most = 0;
    const calendar = openCalendar(wish.timezone);
    for (const backup of year) {
      const stays = kept([...stored, backup], wish, backup.startedAt, calendar);
      stored = [...stored, backup].filter(({ key }) => stays.has(key));
      most = Math.max(most, stored.length);
    }
    const expected = referenceKeep(year, wish, now);
    expect(new Set(stored.map(({ key }) => key))).toEqual(expected);
    expect(expected.size).toBeLessThanOrEqual(3 + 24 + 14 + 8 + 12 + 3);
    expect(most).toBeLessThanOrEqual(3 + 24 + 14 + 8 + 12 + 3);
  });
});

describe('forecast', () => {
  test('is what pruning then deletes, at the time it said', () => {
    const wish = { daily: 3, hourly: 2, timezone: 'Europe/Zurich' };
    const start = hourly(30, '2026-10-23T00:00:00Z');
    const at = new Date('2026-10-24T05:30:00Z');
    const told = forecast(start, wish, at, 4, paced(start, at, hourMs)).map(
      (each) => `${each.at.toISOString()} ${each.backup.key}`,
    );
    const seen: string[] = [];
    let stored = start;
    const step = (time: Date) => {
      const stays = referenceKeep(stored, wish, time);
      const gone = stored.filter(({ key }) => !stays.has(key) && key.startsWith('h'));
      seen.push(...gone.map(({ key }) => `${time.toISOString()} ${key}`));
      stored = stored.filter(({ key }) => stays.has(key));
    };
    step(at);
    for (let time = Date.parse('2026-10-24T06:00:00Z'); time <= at.getTime() + 4 * dayMs; time += hourMs) {
      const made = { key: `new${time}`, startedAt: new Date(time), protectedBy: [], verified: false };
      stored = [...stored, made];
      step(made.startedAt);
    }
    expect(told.length).toBeGreaterThan(25);
    expect(told).toEqual(seen);
  });

  test('knows how often a job runs', () => {
    expect(usualIntervalMs(hourly(30, '2026-11-01T00:00:00Z'))).toBe(hourMs);
    expect(usualIntervalMs(hourly(1, '2026-11-01T00:00:00Z'))).toBe(dayMs);
    expect(usualIntervalMs([])).toBe(dayMs);
    const [first] = hourly(1, '2026-11-01T00:00:00Z');
    const soonAfter = { key: 'again', startedAt: new Date('2026-11-01T00:01:23Z'), protectedBy: [], verified: false };
    expect(usualIntervalMs(first ? [first, soonAfter] : [])).toBe(hourMs);
  });
});
