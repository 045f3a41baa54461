import { expect, test } from 'vitest';
import { parseDuration } from '../../../src/value/duration.ts';

test.each([
  ['500ms', 500],
  ['90s', 90_000],
  ['10m', 600_000],
  ['6h', 21_600_000],
  ['2d', 172_800_000],
  ['1h30m', 5_400_000],
  ['1d2h3m4s5ms', 93_784_005],
])('%s', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

test.each(['', '10', '10 m', '-1s', '1.5h', '30m1h', 'm', '1H', '1w', `${'9'.repeat(400)}d`])('%s is none', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
