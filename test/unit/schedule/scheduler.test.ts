import { setMaxListeners } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunBefore } from '../../../src/schedule/missed-run.ts';
import type { Schedule } from '../../../src/schedule/schedule.ts';
import { Scheduler, type SchedulerEvent } from '../../../src/schedule/scheduler.ts';
import { FakeClock } from './fake-clock.ts';
import { cron, interval } from './sample.ts';

const zurich = 'Europe/Zurich';
let stop = new AbortController();
afterEach(() => stop.abort());

interface World {
  readonly clock: FakeClock;
  readonly scheduler: Scheduler;
  readonly events: SchedulerEvent[];
  /** `job 10-25 00:30`, as they began, in UTC. */
  readonly began: string[];
  readonly ended: Promise<void>;
}

/** A scheduler at work, whose jobs take as many minutes as `minutes` says. */
async function start(
  time: string,
  jobs: Readonly<Record<string, Schedule>>,
  { atOnce = 1, minutes = {}, before = {} }: StartOptions = {},
): Promise<World> {
  stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const clock = new FakeClock(time);
  const began: string[] = [];
  const events: SchedulerEvent[] = [];
  const scheduler = new Scheduler({
    clock,
    run: async (job) => {
      began.push(`${job} ${clock.now().toISOString().slice(5, 16).replace('T', ' ')}`);
      await clock.wait((minutes[job] ?? 1) * 60_000, stop.signal);
    },
    runsBefore: async (job) => before[job] ?? [],
    onEvent: (event) => events.push(event),
  });
  await scheduler.load(listOf(jobs), atOnce);
  return { clock, scheduler, events, began, ended: scheduler.work(stop.signal) };
}

interface StartOptions {
  readonly atOnce?: number;
  readonly minutes?: Readonly<Record<string, number>>;
  readonly before?: Readonly<Record<string, readonly RunBefore[]>>;
}

function listOf(jobs: Readonly<Record<string, Schedule>>) {
  return Object.entries(jobs).map(([name, schedule]) => ({ name, schedule }));
}

const ranAt = (time: string, cut = false): RunBefore => ({ startedAt: new Date(time), cut });

describe('a week', () => {
  test('in which summer time ends: every night once, every six hours by the clock on the wall', async () => {
    const jobs = { nightly: cron('30 2 * * *', zurich), often: interval('6h', 6, zurich) };
    const { clock, began } = await start('2026-10-22T12:00Z', jobs);
    await clock.goTo('2026-10-29T12:00Z');
    const nights = began.filter((each) => each.startsWith('nightly'));
    expect(nights.map((each) => each.slice(8))).toEqual([
      '10-23 00:30',
      '10-24 00:30',
      '10-25 00:30',
      '10-26 01:30',
      '10-27 01:30',
      '10-28 01:30',
      '10-29 01:30',
    ]);
    expect(began.filter((each) => each.startsWith('often 10-25'))).toEqual([
      'often 10-25 05:00',
      'often 10-25 11:00',
      'often 10-25 17:00',
      'often 10-25 23:00',
    ]);
    expect(began).toHaveLength(7 + 28);
  });

  test('in which summer time begins: the skipped hour is made up for', async () => {
    const { clock, began } = await start('2026-03-26T12:00Z', { nightly: cron('30 2 * * *', zurich) });
    await clock.goTo('2026-04-02T12:00Z');
    expect(began.map((each) => each.slice(8))).toEqual([
      '03-27 01:30',
      '03-28 01:30',
      '03-29 01:00',
      '03-30 00:30',
      '03-31 00:30',
      '04-01 00:30',
      '04-02 00:30',
    ]);
  });
});

describe('missed runs', () => {
  const nightly = cron('0 3 * * *', 'UTC');

  test.each<[string, RunBefore[], string[]]>([
    ['many are made up for by one', [ranAt('2026-06-01T03:00Z')], ['a 06-10 12:00', 'a 06-11 03:00']],
    ['none was', [ranAt('2026-06-10T03:00Z')], ['a 06-11 03:00']],
    ['a run by hand counts', [ranAt('2026-06-10T08:00Z')], ['a 06-11 03:00']],
    ['without history nothing was missed', [], ['a 06-11 03:00']],
    [
      'a run that was cut was missed',
      [ranAt('2026-06-10T03:00Z', true), ranAt('2026-06-09T03:00Z')],
      ['a 06-10 12:00', 'a 06-11 03:00'],
    ],
    [
      'but one that is cut again and again waits for its time',
      [ranAt('2026-06-10T11:59Z', true), ranAt('2026-06-10T03:00Z', true)],
      ['a 06-11 03:00'],
    ],
    [
      'also when it was cut and its time has come meanwhile',
      [ranAt('2026-06-09T03:00Z', true), ranAt('2026-06-08T03:00Z', true)],
      ['a 06-10 12:00', 'a 06-11 03:00'],
    ],
  ])('%s', async (_, before, expected) => {
    const { clock, began } = await start('2026-06-10T12:00Z', { a: nightly }, { before: { a: before } });
    await clock.goTo('2026-06-11T12:00Z');
    expect(began).toEqual(expected);
  });

  test('a machine that slept for days runs once when it wakes', async () => {
    const { clock, began } = await start('2026-06-10T12:00Z', { a: nightly });
    await clock.goTo('2026-06-10T12:05Z');
    await clock.set('2026-06-15T09:00Z');
    await clock.goTo('2026-06-16T12:00Z');
    expect(began).toEqual(['a 06-15 09:00', 'a 06-16 03:00']);
  });

  test('a clock that is set back by years does not stop everything for years', async () => {
    const { clock, began } = await start('2030-01-01T12:00Z', { a: nightly });
    await clock.goTo('2030-01-01T12:05Z');
    await clock.set('2026-06-10T12:00Z');
    await clock.goTo('2026-06-11T12:00Z');
    expect(began).toEqual(['a 06-11 03:00']);
  });
});

describe('overlap', () => {
  test('what still runs is not begun again, and the times meanwhile are left out', async () => {
    const jobs = { slow: cron('0 * * * *', 'UTC') };
    const { clock, began, events } = await start('2026-06-10T00:30Z', jobs, { minutes: { slow: 150 } });
    await clock.goTo('2026-06-10T06:30Z');
    expect(began).toEqual(['slow 06-10 01:00', 'slow 06-10 04:00']);
    expect(events.filter(({ type }) => type === 'skipped')).toHaveLength(4);
  });

  test('at most so many at once, the others wait in the order of their times', async () => {
    const hourly = cron('0 * * * *', 'UTC');
    const jobs = { a: hourly, b: hourly, c: hourly };
    const minutes = { a: 10, b: 20, c: 5 };
    const { clock, began, scheduler } = await start('2026-06-10T00:30Z', jobs, { atOnce: 2, minutes });
    await clock.goTo('2026-06-10T01:05Z');
    expect(scheduler.jobs().map(({ state }) => state)).toEqual(['running', 'running', 'queued']);
    await clock.goTo('2026-06-10T01:30Z');
    expect(began).toEqual(['a 06-10 01:00', 'b 06-10 01:00', 'c 06-10 01:10']);
  });
});

describe('a reload', () => {
  test('takes up, drops and changes jobs; one with the same schedule keeps its time', async () => {
    const jobs = { kept: interval('7h', 7), gone: cron('0 4 * * *', 'UTC'), moved: cron('0 5 * * *', 'UTC') };
    const { clock, began, scheduler, events } = await start('2026-06-10T00:30Z', jobs);
    const [kept] = scheduler.jobs();
    await clock.goTo('2026-06-10T01:00Z');
    const now = { kept: interval('7h', 7), moved: cron('0 2 * * *', 'UTC'), fresh: cron('30 1 * * *', 'UTC') };
    await scheduler.load(listOf(now), 1);
    expect(scheduler.jobs()[0]).toEqual(kept);
    await clock.goTo('2026-06-10T02:30Z');
    expect(began).toEqual(['fresh 06-10 01:30', 'moved 06-10 02:00']);
    expect(events).toContainEqual({ type: 'removed', job: 'gone' });
    await clock.goTo('2026-06-10T12:00Z');
    expect(began.some((each) => /gone|moved 06-10 05/.test(each))).toBe(false);
  });

  test('a job that is dropped while it runs or waits ends, or never begins', async () => {
    const hourly = cron('0 * * * *', 'UTC');
    const { clock, began, scheduler } = await start(
      '2026-06-10T00:30Z',
      { a: hourly, b: hourly },
      { minutes: { a: 30 } },
    );
    await clock.goTo('2026-06-10T01:10Z');
    await scheduler.load([], 1);
    await clock.goTo('2026-06-10T03:00Z');
    expect(began).toEqual(['a 06-10 01:00']);
  });
});

test('after an abort nothing begins, and the end waits for what runs', async () => {
  const hourly = cron('0 * * * *', 'UTC');
  const world = await start('2026-06-10T00:30Z', { a: hourly, b: hourly }, { minutes: { a: 30 } });
  await world.clock.goTo('2026-06-10T01:10Z');
  let ended = false;
  void world.ended.then(() => {
    ended = true;
  });
  stop.abort();
  expect(ended).toBe(false);
  await world.clock.goTo('2026-06-10T03:00Z');
  expect(ended).toBe(true);
  expect(world.began).toEqual(['a 06-10 01:00']);
});
