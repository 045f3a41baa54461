import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { everFires, parseCron } from '../../../src/schedule/cron-fields.ts';
import { nextRuns } from '../../../src/schedule/next-run.ts';
import { onCalendar } from '../../../src/schedule/on-calendar.ts';
import { cron } from './sample.ts';

/** What systemd itself makes of the expressions, joined as a timer joins them: the next `count` times. */
function bySystemd(expressions: readonly string[], after: string, count: number): string[] {
  const base = `--base-time=${after.replace('T', ' ').replace('Z', ' UTC')}`;
  const text = execFileSync('systemd-analyze', ['calendar', base, `--iterations=${count}`, ...expressions], {
    env: { ...process.env, TZ: 'UTC', SYSTEMD_COLORS: '0' },
  }).toString();
  const found = [...text.matchAll(/(?:Next elapse|Iter\S* #\d+): \w{3} (\S+ \S+) UTC/g)].map(([, at]) => at ?? '');
  return [...new Set(found)].sort().slice(0, count);
}

function byUs(expression: string, timezone: string, after: string, count: number): string[] {
  const runs = nextRuns(cron(expression, timezone), new Date(after), count);
  return runs.map((at) => at.toISOString().replace('T', ' ').slice(0, 19));
}

const field = (low: number, high: number) => {
  const number = fc.integer({ min: low, max: high });
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = fc.integer({ min: 1, max: Math.min(high, 15) });
  const stepped = fc.tuple(fc.oneof(fc.constant('*'), range), step).map(([of, by]) => `${of}/${by}`);
  const part = fc.oneof(number.map(String), range, stepped);
  const list = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','));
  return fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, { weight: 3, arbitrary: list });
};

const expression = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
  .map((fields) => fields.join(' '))
  .filter((text) => everFires(parseCron(text)));

const seed = Number(process.env['DBBACKUP_TEST_SEED'] ?? Date.now() % 2 ** 31);

describe('OnCalendar', () => {
  test('is what systemd runs at the times of the cron expression', () => {
    // Timezones whose clocks stay: there cron and systemd agree on everything.
    const timezone = fc.constantFrom('UTC', 'Asia/Tokyo', 'Asia/Kathmandu', 'America/Phoenix');
    fc.assert(
      fc.property(expression, timezone, (text, zone) => {
        const after = '2026-11-20T03:00:00Z';
        const found = bySystemd(onCalendar(text, zone), after, 6);
        expect([text, zone, found]).toEqual([text, zone, byUs(text, zone, after, 6)]);
      }),
      { numRuns: Number(process.env['DBBACKUP_TEST_ROUNDS'] ?? 30), seed, endOnFailure: true },
    );
  });

  test('where clocks change, systemd leaves out what is skipped, and what is there twice comes once', () => {
    const nightly = onCalendar('30 2 * * *', 'Europe/Zurich');
    expect(bySystemd(nightly, '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-30 00:30:00']);
    expect(bySystemd(nightly, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25 00:30:00', '2026-10-26 01:30:00']);
  });

  test.each([
    ['0 3 * * *', ['*-*-* 03:00:00 Europe/Zurich']],
    ['*/30 * * * 1-5', ['Mon,Tue,Wed,Thu,Fri *-*-* *:00,30:00 Europe/Zurich']],
    ['0 0 1,15 * 5', ['*-*-01,15 00:00:00 Europe/Zurich', 'Fri *-*-* 00:00:00 Europe/Zurich']],
    ['0 0 1-31 * 5', ['*-*-* 00:00:00 Europe/Zurich']],
    ['0 0 */10 * 5', ['Fri *-*-01,11,21,31 00:00:00 Europe/Zurich']],
  ])('%s', (text, expected) => {
    expect(onCalendar(text, 'Europe/Zurich')).toEqual(expected);
  });
});
