import { describe, expect, test } from 'vitest';
import { CronError, everFires, formatCron, parseCron } from '../../../src/schedule/cron-fields.ts';

describe('cron expressions', () => {
  test.each([
    ['0 3 * * *', '0 3 * * *'],
    [' 5,35  */6 1-15/2 JAN,jul mon-fri ', '5,35 */6 1-15/2 1,7 1-5'],
    ['0 0 * * fri-sun', '0 0 * * 5-7'],
    ['@daily', '0 0 * * *'],
    ['@Weekly', '0 0 * * 0'],
  ])('%s', (written, canonical) => {
    expect(formatCron(parseCron(written))).toBe(canonical);
  });

  test.each([
    ['0 3 * *', /five fields/],
    ['0 0 3 * * *', /five fields/],
    ['60 3 * * *', /"60" is no minute/],
    ['0 24 * * *', /"24" is no hour/],
    ['0 0 0 * *', /"0" is no day of month/],
    ['0 0 * 13 *', /"13" is no month/],
    ['0 0 * * 8', /"8" is no day of week/],
    ['0 0 L * *', /is no day of month/],
    ['0 0 ? * *', /is no day of month/],
    ['0 0 * * 5#2', /is no day of week/],
    ['5/10 * * * *', /a step needs/],
    ['*/0 * * * *', /the step/],
    ['0 20-6 * * *', /ends before it begins/],
    ['0 3,, * * *', /is no hour/],
    ['-1 3 * * *', /is no minute/],
    ['1e1 3 * * *', /is no minute/],
    ['@reboot', /no macro/],
    ['', /five fields/],
  ])('%s is refused', (written, message) => {
    expect(() => parseCron(written)).toThrow(CronError);
    expect(() => parseCron(written)).toThrow(message);
  });

  test.each([
    ['0 0 31 2 *', false],
    ['0 0 30 2 *', false],
    ['0 0 31 4,6,9,11 *', false],
    ['0 0 29 2 *', true],
    ['0 0 31 2 1', true],
    ['0 0 31 * *', true],
  ])('%s fires: %s', (written, fires) => {
    expect(everFires(parseCron(written))).toBe(fires);
  });
});
