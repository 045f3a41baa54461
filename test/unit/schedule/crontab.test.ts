import { describe, expect, test } from 'vitest';
import { blockIn, crontabBlock, crontabLine, crontabSchedules, replaceBlock } from '../../../src/schedule/crontab.ts';
import type { Launch } from '../../../src/schedule/launch.ts';
import type { Schedule } from '../../../src/schedule/schedule.ts';
import { cron, interval } from './sample.ts';

const launch: Launch = {
  program: ['/usr/bin/node', '/opt/dbbackup/bin/dbbackup.js'],
  configFile: '/etc/dbbackup/dbbackup.yaml',
  stateFolder: '/var/lib/dbbackup',
  path: '/usr/bin:/bin',
  home: '/root',
};
const line = (schedule: Schedule, more: Partial<Launch> = {}, zone = 'Europe/Zurich') =>
  crontabLine({ name: 'shop', schedule }, { ...launch, ...more }, zone);

describe('a line', () => {
  test('has everything that cron does not know', () => {
    expect(line(cron('0 3 * * mon-fri', 'Europe/Zurich'))).toBe(
      '0 3 * * 1-5 PATH=/usr/bin:/bin DBBACKUP_STATE_DIR=/var/lib/dbbackup DBBACKUP_TRIGGER=cron ' +
        '/usr/bin/node /opt/dbbackup/bin/dbbackup.js run shop --quiet --config /etc/dbbackup/dbbackup.yaml',
    );
  });

  test('quotes for sh, and escapes the percent sign for cron', () => {
    expect(line(cron('0 3 * * *'), { configFile: "/my files/100%/it's.yaml" })).toMatch(
      /--config '\/my files\/100\\%\/it'\\''s\.yaml'$/,
    );
  });

  test('reads a file of variables first', () => {
    expect(line(cron('0 3 * * *'), { environmentFile: '/etc/dbbackup/env' })).toMatch(
      /^0 3 \* \* \* set -a; \. \/etc\/dbbackup\/env; set \+a; PATH=/,
    );
  });

  test.each<[Schedule, string]>([
    [interval('6h', 6), '0 */6 * * * '],
    [interval('1h', 1), '0 * * * * '],
    [interval('24h', 24), '0 0 * * * '],
    [interval('15m', 0.25), '*/15 * * * * '],
    [interval('1m', 1 / 60), '* * * * * '],
  ])('an interval that divides an hour or a day: %j', (schedule, beginning) => {
    expect(line(schedule).startsWith(`${beginning}PATH=`)).toBe(true);
  });

  test.each<[string, Schedule]>([
    ['7h', interval('7h', 7)],
    ['90m', interval('90m', 1.5)],
    ['2d', interval('2d', 48)],
    ['10s', interval('10s', 10 / 3600)],
  ])('one that does not is refused: %s', (_, schedule) => {
    expect(() => line(schedule)).toThrow(/cannot say this interval/);
  });

  test('another timezone is refused, another name of the same is not', () => {
    expect(() => line(cron('0 3 * * *', 'Asia/Tokyo'))).toThrow(/timezone of this machine, Europe\/Zurich/);
    expect(line(cron('0 3 * * *', 'UTC'), {}, 'Etc/UTC')).toMatch(/^0 3 /);
    expect(line(cron('0 3 * * *', 'europe/zurich'))).toMatch(/^0 3 /);
  });

  test('a long PATH gives way to the usual one; what cron would cut is refused', () => {
    const long = Array.from({ length: 60 }, (_, index) => `/opt/tools/number-${index}/bin`).join(':');
    expect(line(cron('0 3 * * *'), { path: long })).toMatch(/PATH=\/usr\/local\/bin:\/usr\/bin:/);
    expect(() => line(cron('0 3 * * *'), { configFile: `/${'x'.repeat(900)}` })).toThrow(/longer than/);
    expect(() => line(cron('0 3 * * *'), { configFile: '/a\nb' })).toThrow(/line end/);
  });
});

describe('the block', () => {
  const block = crontabBlock([{ name: 'shop', schedule: cron('0 3 * * *') }], launch, 'UTC');
  const other = block.replaceAll('/etc/dbbackup/dbbackup.yaml', '/srv/other.yaml');
  const { configFile } = launch;

  test.each([
    ['an empty crontab', ''],
    ['one with lines of others', 'MAILTO=me@example.org\n\n# mine\n0 4 * * *\tdate % x \n'],
    ['one with the block of another config', `1 2 3 4 5 a\n${other}5 4 3 2 1 b\n`],
    ['one with odd line ends and letters', '0 1 * * * echo grüße\r\n\n\n# BEGIN dbbackup\n'],
  ])('comes and goes without a trace: %s', (_, crontab) => {
    const installed = replaceBlock(crontab, configFile, block);
    expect(installed).toBe(crontab + block);
    expect(replaceBlock(installed, configFile, block)).toBe(installed);
    expect(blockIn(installed, configFile)).toBe(block);
    expect(replaceBlock(installed, configFile, undefined)).toBe(crontab);
    expect(replaceBlock(crontab, configFile, undefined)).toBe(crontab);
  });

  test('is replaced where it stands', () => {
    const changed = block.replace('0 3', '30 4');
    expect(replaceBlock(`a\n${block}b\n`, configFile, changed)).toBe(`a\n${changed}b\n`);
  });

  test('gets a line of its own after a last line without an end', () => {
    expect(replaceBlock('0 1 * * * a', configFile, block)).toBe(`0 1 * * * a\n${block}`);
  });

  test.each([
    ['without its end', block.replace(/# END.*\n/, '')],
    ['without its beginning', block.replace(/# BEGIN.*\n/, '')],
    ['twice', block + block],
    ['upside down', `# END dbbackup ${configFile}\n# BEGIN dbbackup ${configFile}\n`],
  ])('is left alone %s', (_, damaged) => {
    expect(() => replaceBlock(damaged, configFile, undefined)).toThrow(/damaged marks/);
  });

  test('tells what it starts', () => {
    const odd = { ...launch, program: ["/it's 5%/node", '/opt/dbbackup.js'] };
    const two = crontabBlock(
      [
        { name: 'a.b', schedule: cron('0 3 * * mon') },
        { name: 'c', schedule: interval('6h', 6) },
      ],
      odd,
      'UTC',
    );
    expect(crontabSchedules(two)).toEqual([
      { expression: '0 3 * * 1', program: "/it's 5%/node", job: 'a.b' },
      { expression: '0 */6 * * *', program: "/it's 5%/node", job: 'c' },
    ]);
  });
});
