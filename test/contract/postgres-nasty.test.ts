import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresType } from '../../src/source/postgres/postgres.ts';
import type { RestoreRequest } from '../../src/source/source.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import {
  countedRows,
  createdDatabase,
  dumpToFile,
  formatNamed,
  requestFor,
  sourceContext,
  withoutKey,
} from '../servers/postgres-source.ts';

const bigBytes = Number(process.env['DBBACKUP_TEST_BIG_BYTES'] ?? 200_000);

describe('a database with everything', () => {
  let server: PostgresServer;
  let folder: string;
  const context = () => sourceContext(folder);

  beforeAll(async () => {
    server = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), 'dbb-nasty-'));
    await createdDatabase(server, 'nasty', nastySql(bigBytes), folder);
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function roundTrip(format: string, database: string, choice: Partial<RestoreRequest>): Promise<void> {
    const path = join(folder, `${database}.dump`);
    await dumpToFile(server, 'nasty', format, path, context());
    const target = postgresType.open({ url: server.url(database) }, folder);
    await target.restore(requestFor(format, path, choice), context());
    const [original, restored] = await Promise.all(
      ['nasty', database].map((name) => server.program('pg_dump', ['--create'], name)),
    );
    expect(comparable(restored ?? '', database)).toBe(comparable(original ?? '', 'nasty'));
  }

  test('comes back identical from the custom format', async () => {
    await server.sql('CREATE DATABASE streamed TEMPLATE template0');
    await roundTrip('custom', 'streamed', {});
  });

  test('comes back identical from the plain format', async () => {
    await server.sql('CREATE DATABASE scripted TEMPLATE template0');
    await roundTrip('plain', 'scripted', {});
  });

  test('comes back identical with four workers', async () => {
    await server.sql('CREATE DATABASE worked TEMPLATE template0');
    await roundTrip('custom', 'worked', { jobs: 4 });
  });

  test('comes back identical into a database that did not exist', async () => {
    await roundTrip('custom', 'created', { create: true });
    await roundTrip('plain', 'created too', { create: true });
  });

  test('replaces what was there, and keeps what belongs to the database itself', async () => {
    await server.sql(`CREATE DATABASE replaced TEMPLATE template0`);
    await server.sql(`CREATE ROLE reader; GRANT CONNECT ON DATABASE replaced TO reader;
      ALTER DATABASE replaced SET search_path TO "$user", public, "odd, name";
      ALTER DATABASE replaced SET work_mem TO '7MB'; COMMENT ON DATABASE replaced IS 'it''s mine'`);
    await server.sql('CREATE TABLE old_data (id int)', 'replaced');
    const own = async () =>
      (await server.program('pg_dump', ['--create', '-s'], 'replaced')).match(
        /^(GRANT.*|REVOKE.*|ALTER|COMMENT ON) .*DATABASE.*$/gm,
      );
    const before = await own();
    const path = join(folder, 'replaced.dump');
    await dumpToFile(server, 'nasty', 'custom', path, context());
    await postgresType
      .open({ url: server.url('replaced') }, folder)
      .restore(requestFor('custom', path, { clean: true }), context());
    expect(await own()).toEqual(before);
    expect(before?.length).toBeGreaterThan(4);
    expect(await server.sql(`SELECT count(*) FROM pg_class WHERE relname = 'old_data'`, 'replaced')).toBe('0');
    expect(await server.sql('SELECT count(*) FROM books', 'replaced')).toBe('50');
    expect(await server.sql(`SELECT count(*) FROM pg_database WHERE datname LIKE 'replaced_%'`)).toBe('0');
  });

  test.each(['custom', 'plain'])('comes back by the recipe of its sidecar alone (%s)', async (format) => {
    const path = join(folder, `it's a recipe.${format}`);
    await dumpToFile(server, 'nasty', format, path, context());
    const database = `it's = recovered ${format}`;
    const { command } = postgresType.recovery(formatNamed(format), [database]);
    const env = {
      PATH: `${server.programs}:${process.env['PATH']}`,
      PGHOST: server.socketDir,
      PGPORT: `${server.port}`,
      PGUSER: 'postgres',
    };
    await promisify(execFile)('sh', ['-ec', command(`'${path.replaceAll("'", "'\\''")}'`)], { env });
    expect(await countedRows(server, database)).toEqual(await countedRows(server, 'nasty'));
  });

  test('counts the rows of every table on the way', async () => {
    const rows = await countedRows(server, 'nasty');
    for (const format of ['custom', 'plain']) {
      const dumped = await dumpToFile(server, 'nasty', format, join(folder, `rows-${format}.dump`), context());
      expect(dumped[0]?.tables).toEqual(rows);
      expect(dumped[0]?.name).toBe('nasty');
    }
  });
});

/** The names of the two databases and the fence's random key are all that may differ. */
function comparable(script: string, database: string): string {
  const quoted = /^[a-z_]+$/.test(database) ? database : `"${database}"`;
  return withoutKey(script)
    .replace(/^\\connect .*\n/gm, '')
    .replace(/^\\encoding .*\n/gm, '')
    .replaceAll(`DATABASE ${quoted}`, 'DATABASE *')
    .replaceAll(`Name: ${database};`, 'Name: *;');
}
