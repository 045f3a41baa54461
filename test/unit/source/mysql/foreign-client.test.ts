import { describe, expect, test } from 'vitest';
import { ProgramFailure } from '../../../../src/process/process.ts';
import { type Client, parseVersion } from '../../../../src/source/mysql/client.ts';
import type { Facts } from '../../../../src/source/mysql/facts.ts';
import { explain } from '../../../../src/source/mysql/failure.ts';
import { refuseForeignClient } from '../../../../src/source/mysql/foreign-client.ts';

function client(version: string): Client {
  return { ...parseVersion(version), name: 'mariadb-dump', dump: '/dump', shell: '/shell' };
}

function facts(version: string, special: readonly string[] = []): Facts {
  return { server: parseVersion(version), special } as unknown as Facts;
}

describe("MariaDB's programs at a server of MySQL", () => {
  const mariadb = client('10.11.19-MariaDB');

  test('are refused before 5.7, whose catalogue they ask for what it has not', () => {
    const dump = (server: string) => () => refuseForeignClient(facts(server), mariadb, 'schema', []);
    expect(dump('5.6.24')).toThrow(/10\.11\.19 of MariaDB cannot dump MySQL 5\.6\.24/);
    expect(dump('5.7.44')).not.toThrow();
    expect(dump('10.4.2-MariaDB')).not.toThrow();
  });

  test('are refused tables that they spoil, when rows of these are dumped', () => {
    const all = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'];
    const dump = (with_: Client, type: 'full' | 'schema', tables: readonly string[]) => () =>
      refuseForeignClient(facts('9.7.4', all), with_, type, tables);
    expect(dump(mariadb, 'full', all)).toThrow(/load them: t1, t2, t3, t4, t5 and 2 more/);
    expect(dump(mariadb, 'full', ['plain', 't7'])).toThrow(/load them: t7$/);
    expect(dump(mariadb, 'full', ['plain'])).not.toThrow();
    expect(dump(mariadb, 'schema', all)).not.toThrow();
    expect(dump(client('9.7.4'), 'full', all)).not.toThrow();
  });
});

describe('what a client says', () => {
  test.each([
    [
      "ERROR 2059 (HY000): Authentication plugin 'mysql_native_password' cannot be loaded: no such file",
      ['AUTHENTICATION_FAILED', /does not know the way in which the account authenticates/],
    ],
    ["ERROR 1045 (28000): Access denied for user 'a'@'b'", ['AUTHENTICATION_FAILED', /Check user and password/]],
    ['ERROR 2026 (HY000): SSL connection error: certificate verify failed', ['TOOL_FAILED', /set sslCa/]],
    ["Unknown column 'generation_expression' in 'field list' (1054)", ['TOOL_FAILED', /own client/]],
  ])('%s', (said, [code, hint]) => {
    const error = explain(new ProgramFailure('TOOL_FAILED', 'mysql exited with code 1', said), 'a query');
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint as RegExp) });
  });
});
