import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  busyTimeoutMs,
  databasePath,
  optionsFromTarget,
  sqliteOptions,
} from '../../../../src/source/sqlite/options.ts';

describe('a --to argument', () => {
  it.each([
    ['shop.db', 'shop.db'],
    ['--help', '--help'],
    ['c:shop.db', 'c:shop.db'],
    ['sqlite:shop.db', 'shop.db'],
    ['sqlite:/srv/shop%41.db', '/srv/shop%41.db'],
    ['sqlite:///srv/a%20b.db', '/srv/a b.db'],
    ['file:///srv/%3F.db', '/srv/?.db'],
    ['FILE:shop.db', 'shop.db'],
  ])('%s is the file %s', (target, path) => {
    expect(optionsFromTarget(target)).toEqual({ path });
  });

  it.each(['postgres://host/shop', 'mysql://host/shop', 's3+http://x', ''])('%s belongs to others', (target) => {
    expect(optionsFromTarget(target)).toBeUndefined();
  });

  it.each(['sqlite://host/shop.db', 'file:///a%2Fb', 'sqlite:'])('%s is refused', (target) => {
    expect(() => optionsFromTarget(target)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

it('resolves paths against the folder of the config, and ~ against the home folder', () => {
  expect(databasePath({ path: './a/../shop.db' }, '/etc/dbbackup')).toBe('/etc/dbbackup/shop.db');
  expect(databasePath({ path: '~/shop.db' }, '/etc/dbbackup')).toBe(`${homedir()}/shop.db`);
  expect(databasePath({ path: '~shop.db' }, '/etc/dbbackup')).toBe('/etc/dbbackup/~shop.db');
});

it('waits 5 seconds for a lock unless told', () => {
  expect(busyTimeoutMs(sqliteOptions.parse({ path: 'x' }))).toBe(5000);
  expect(busyTimeoutMs(sqliteOptions.parse({ path: 'x', busyTimeout: '1m' }))).toBe(60_000);
  expect(busyTimeoutMs(sqliteOptions.parse({ path: 'x', busyTimeout: '0s' }))).toBe(0);
});

it('refuses what it does not know', () => {
  for (const options of [{}, { path: '' }, { path: 'x', busyTimeout: 5 }, { path: 'x', pth: 1 }, { path: 'a\0b' }]) {
    expect(sqliteOptions.safeParse(options).success).toBe(false);
  }
});
