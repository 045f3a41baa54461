/** The doctor of a PostgreSQL source, at a real server with planted problems. */
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explain } from '../../src/errors.ts';
import type { Finding } from '../../src/finding.ts';
import { postgresType } from '../../src/source/postgres/postgres.ts';
import type { CheckContext } from '../../src/source/source.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

let server: PostgresServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-doctor-'));
  server = await startPostgres();
  await server.sql('CREATE DATABASE shop');
  await server.sql(
    `CREATE TABLE item (id int); INSERT INTO item SELECT generate_series(1, 1000);
     CREATE ROLE reader LOGIN PASSWORD 'reader-canary'; GRANT pg_read_all_data TO reader;
     CREATE ROLE stranger LOGIN PASSWORD 'stranger-canary';`,
    'shop',
  );
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const usual: CheckContext = {
  signal: new AbortController().signal,
  temporaryFolder: () => Promise.reject(new Error('nothing is written')),
  log: () => undefined,
  formats: ['custom'],
  filtered: false,
};

/** Findings as lines; what it throws, as the operation shows it. */
async function look(options: object, context: Partial<CheckContext> = {}): Promise<readonly string[]> {
  const source = postgresType.open(
    { host: server.host, port: server.port, database: 'shop', ...options } as never,
    folder,
  );
  const found: Finding[] = [];
  try {
    for await (const finding of source.check?.({ ...usual, ...context }) ?? []) found.push(finding);
  } catch (error) {
    return [`fail ${explain(error)}`];
  }
  for (const { severity, wayOut } of found) if (severity !== 'ok' && severity !== 'info') expect(wayOut).toMatch(/\w+/);
  return found.map(({ severity, what, wayOut }) => `${severity} ${what}${wayOut ? ` → ${wayOut}` : ''}`);
}

const superuser = () => ({ user: server.user, password: server.password });
const reader = { user: 'reader', password: 'reader-canary' };
const stranger = { user: 'stranger', password: 'stranger-canary' };
const wrong = (lines: readonly string[]) => lines.filter((line) => /^(warn|fail)/.test(line));

describe('the doctor of PostgreSQL', () => {
  test('is content with a superuser, and with one who may read everything', async () => {
    for (const user of [superuser(), reader]) {
      const lines = await look(user);
      expect(wrong(lines)).toEqual([]);
      expect(lines[0]).toMatch(
        new RegExp(`^ok PostgreSQL ${server.major}.* answers at postgres://.*/shop as user ${user.user}$`),
      );
      expect(lines.join('\n')).toMatch(/ok pg_dump \d+.* in \//);
      expect(lines.join('\n')).toMatch(/ok about [\d.]+ [kM]?B of tables/);
    }
  });

  test('a table that the user may not read: a failure, or a warning where jobs leave something out', async () => {
    const [line, ...others] = wrong(await look(stranger));
    expect(others).toEqual([]);
    expect(line).toMatch(/^fail the user stranger may not read public\.item.*GRANT pg_read_all_data TO "stranger"/);
    expect(wrong(await look(stranger, { filtered: true }))).toEqual([
      expect.stringMatching(/^warn .*unless the jobs leave it out/),
    ]);
  });

  test('rows that a policy hides, and large objects of others; what it advises helps', async () => {
    await server.sql(
      'CREATE TABLE secret (id int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY; SELECT lo_create(4711)',
      'shop',
    );
    try {
      const lines = wrong(await look(reader));
      expect(lines).toEqual([
        expect.stringMatching(/^fail row security hides rows of public\.secret .*ALTER ROLE "reader" BYPASSRLS/),
        expect.stringMatching(/^fail 1 large objects belong to others/),
      ]);
      expect(wrong(await look(superuser()))).toEqual([]);
      await server.sql('ALTER ROLE reader BYPASSRLS; GRANT SELECT ON LARGE OBJECT 4711 TO reader', 'shop');
      expect(wrong(await look(reader))).toEqual([]);
    } finally {
      await server.sql('DROP TABLE secret; SELECT lo_unlink(4711); ALTER ROLE reader NOBYPASSRLS', 'shop');
    }
  });

  test('a wrong password, a database that is not there, a server that is not there', async () => {
    const lines = [
      ...(await look({ user: 'reader', password: 'wrong-canary' })),
      ...(await look({ ...reader, database: 'nowhere' })),
      ...(await look({ ...reader, port: 1 })),
    ];
    expect(lines).toEqual([
      expect.stringMatching(/password authentication failed/),
      expect.stringMatching(/"nowhere" does not exist/),
      expect.stringMatching(/refused/),
    ]);
    expect(lines.join()).not.toMatch(/canary/);
  });

  test('no client, one that is too old, and one without pg_restore', async () => {
    expect(await look({ ...reader, clientFolder: folder })).toEqual([
      expect.stringMatching(/^fail pg_dump was not found in/),
    ]);
    const script = (version: string) => `#!/bin/sh\necho "pg_dump (PostgreSQL) ${version}"\n`;
    await writeFile(join(folder, 'pg_dump'), script('12.1'));
    await chmod(join(folder, 'pg_dump'), 0o755);
    await symlink(join(server.programs, 'psql'), join(folder, 'psql'));
    expect(await look({ ...reader, clientFolder: folder })).toEqual([
      expect.stringMatching(/^fail .*the newest pg_dump here is 12\.1/),
    ]);
    await writeFile(join(folder, 'pg_dump'), script(`${server.major}.99`));
    expect(wrong(await look({ ...reader, clientFolder: folder }))).toEqual([
      expect.stringMatching(/^fail .*pg_restore is missing beside pg_dump/),
    ]);
  });
});
