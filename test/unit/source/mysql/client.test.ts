import { describe, expect, test } from 'vitest';
import { type Client, chooseClient, parseVersion } from '../../../../src/source/mysql/client.ts';
import { quoted } from '../../../../src/source/mysql/defaults-file.ts';
import { dumpArguments, matching } from '../../../../src/source/mysql/dump.ts';
import type { Facts } from '../../../../src/source/mysql/facts.ts';
import { errorLines } from '../../../../src/source/mysql/failure.ts';
import { readGrants } from '../../../../src/source/mysql/grants.ts';
import { sqlFormat } from '../../../../src/source/mysql/mysql.ts';
import { connectionParameters } from '../../../../src/source/mysql/options.ts';

function client(version: string): Client {
  return { ...parseVersion(version), name: 'dump', dump: '/dump', shell: '/shell' };
}

describe('versions', () => {
  test.each([
    ['mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)', 'mariadb', '10.11.19', 10_011],
    ['mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux (x86_64)', 'mariadb', '11.4.2', 11_004],
    ['mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)', 'mysql', '8.0.36', 8000],
    ['mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)', 'mysql', '5.7.44', 5007],
    ['10.11.19-MariaDB-0+deb12u1', 'mariadb', '10.11.19', 10_011],
    ['5.5.5-10.4.32-MariaDB-log', 'mariadb', '10.4.32', 10_004],
    ['8.4.3', 'mysql', '8.4.3', 8004],
    ['8.0.36-28.1 Percona', 'mysql', '8.0.36', 8000],
  ])('of %s', (text, flavour, version, rank) => {
    expect(parseVersion(text)).toEqual({ flavour, text: version, rank });
  });
});

describe('the choice of a client', () => {
  const all = ['8.0.36', '8.4.3', '5.7.44', '10.11.19-MariaDB', '11.4.2-MariaDB'].map(client);
  test.each([
    ['8.0.40', '8.0.36'],
    ['5.6.1', '5.7.44'],
    ['8.1.0', '8.4.3'],
    ['10.6.3-MariaDB', '10.11.19'],
    ['11.1.1-MariaDB', '11.4.2'],
  ])('for %s is %s', (server, chosen) => {
    expect(chooseClient(all, parseVersion(server), false).text).toBe(chosen);
  });

  test('refuses older ones, unless told otherwise, and takes another make only where there is none', () => {
    const server = parseVersion('12.0.1-MariaDB');
    expect(() => chooseClient(all, server, false)).toThrow(/MariaDB 12\.0\.1.*11\.4\.2/);
    expect(chooseClient(all, server, true).text).toBe('11.4.2');
    expect(chooseClient([client('10.11.19-MariaDB')], parseVersion('8.4.3'), false).text).toBe('10.11.19');
  });
});

describe('arguments', () => {
  const request = { format: sqlFormat, backupType: 'full' as const, filter: {} };
  const facts = (version: string) => ({ database: 'd', tables: [], server: parseVersion(version) }) as unknown as Facts;

  test('quirks of each make', () => {
    const mysql8 = dumpArguments(request, facts('10.6.3-MariaDB'), client('8.0.36'));
    expect(mysql8).toEqual(
      expect.arrayContaining(['--set-gtid-purged=OFF', '--column-statistics=0', '--no-tablespaces']),
    );
    const mysql5 = dumpArguments(request, facts('5.7.44'), client('5.7.44'));
    expect(mysql5).toContain('--set-gtid-purged=OFF');
    expect(mysql5).not.toContain('--column-statistics=0');
    const mariadb = dumpArguments(request, facts('10.11.1-MariaDB'), client('10.11.19-MariaDB'));
    expect(mariadb.join()).not.toMatch(/gtid|column-statistics/);
    expect(mariadb).toContain('--dump-history');
    expect(dumpArguments(request, facts('8.0.36'), client('10.11.19-MariaDB'))).not.toContain('--dump-history');
  });

  test('patterns', () => {
    const names = ['a', 'ab', 'a.b', 'A', 'x*y'];
    expect(matching(['a*'], names)).toEqual(['a', 'ab', 'a.b']);
    expect(matching(['a.b', '*'], names)).toEqual(['a.b', 'a', 'ab', 'A', 'x*y']);
    expect(() => matching(['b'], names)).toThrow('no table matches "b"');
  });
});

test('option files get every letter', () => {
  expect(quoted('a"b\\c#d\n')).toBe('"a\\"b\\\\c#d\\n"');
});

test('grants', () => {
  const grants = readGrants([
    'GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD …',
    'GRANT SELECT, SHOW VIEW ON `shop\\_%`.* TO `u`@`%`',
    'GRANT ALL PRIVILEGES ON `odd``one`.* TO `u`@`%` WITH GRANT OPTION',
    'GRANT TRIGGER ON `shop_x`.`t` TO `u`@`%`',
  ]);
  expect(grants.may('SELECT', 'shop_x')).toBe(true);
  expect(grants.may('SELECT', 'shopx')).toBe(false);
  expect(grants.may('TRIGGER', 'shop_x')).toBe(false);
  expect(grants.may('EVENT', 'odd`one')).toBe(true);
  expect(readGrants(['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`']).may('EVENT', 'any')).toBe(true);
});

describe('URLs', () => {
  test.each([
    ['mysql://u:p%40ss@db:3307/shop', { user: 'u', password: 'p@ss', host: 'db', port: 3307, database: 'shop' }],
    ['mariadb://[::1]/a%2Fb', { host: '::1', database: 'a/b' }],
    [
      'mysql://u@localhost/d?socket=/run/my.sock',
      { user: 'u', host: 'localhost', database: 'd', socket: '/run/my.sock' },
    ],
    ['mysql://', {}],
  ])('%s', (url, parameters) => {
    expect(connectionParameters({ url })).toEqual(parameters);
  });

  test.each(['mysql://u:p@h:p/x', 'mysql://h/x/y', 'mysql://h/x?ssl=1', 'mysql://h/%zz'])('%s is refused', (url) => {
    expect(() => connectionParameters({ url })).toThrow(/cannot read the URL/);
  });

  test('options go before the URL', () => {
    expect(connectionParameters({ url: 'mysql://u@h/d', database: 'other', port: 1 })).toMatchObject({
      ...{ host: 'h', database: 'other', port: 1 },
    });
  });
});

test('rows that a client shows with its error stay out of messages', () => {
  expect(
    errorLines("--------------\nINSERT INTO t VALUES ('secret')\n--------------\n\nERROR 1064 (42000) at line 3: no"),
  ).toBe('ERROR 1064 (42000) at line 3: no');
});
