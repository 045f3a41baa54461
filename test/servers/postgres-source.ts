/** What every test of the PostgreSQL source needs: a context, requests, a dump in a file. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { postgresType } from '../../src/source/postgres/postgres.ts';
import type { DatabaseContents, DumpFormat, RestoreRequest, SourceContext } from '../../src/source/source.ts';
import type { PostgresServer } from './postgres.ts';

export function sourceContext(folder: string, signal = AbortSignal.timeout(300_000)): SourceContext {
  return { signal, temporaryFolder: () => mkdtemp(join(folder, 'execution-')), log: () => {} };
}

export function formatNamed(name: string): DumpFormat {
  const format = postgresType.capabilities().formats.find((candidate) => candidate.name === name);
  if (format === undefined) throw new Error(`no format ${name}`);
  return format;
}

export function requestFor(format: string, path: string, choice: Partial<RestoreRequest> = {}): RestoreRequest {
  return {
    format: formatNamed(format),
    input: { kind: 'file', path },
    ...{ create: false, clean: false, dataOnly: false, schemaOnly: false, noOwner: false, noPrivileges: false },
    ...{ tables: [], jobs: 1, restoreId: 'a1b2c3' },
    ...choice,
  };
}

export async function dumpToFile(
  server: PostgresServer,
  database: string,
  format: string,
  path: string,
  context: SourceContext,
): Promise<readonly DatabaseContents[]> {
  const source = postgresType.open({ url: server.url(database) }, '/');
  const dump = await source.dump({ format: formatNamed(format), backupType: 'full', filter: {} }, context);
  await pipeline(dump.stream, createWriteStream(path));
  return await dump.contents();
}

/** Creates a database and runs a script in it. */
export async function createdDatabase(
  server: PostgresServer,
  name: string,
  sql: string,
  folder: string,
): Promise<void> {
  await server.program('createdb', ['--template=template0', '--', name]);
  if (sql !== '') await fillDatabase(server, name, sql, folder);
}

/** Runs a script by file: arguments have a limit. */
export async function fillDatabase(server: PostgresServer, name: string, sql: string, folder: string): Promise<void> {
  const path = join(await mkdtemp(join(folder, 'fill-')), 'fill.sql');
  await writeFile(path, sql);
  await server.program('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', path], name);
}

/** Rows of every table, counted by the server, under the names that `contents()` uses. */
export async function countedRows(server: PostgresServer, name: string): Promise<Record<string, number>> {
  const queries = await server.sql(
    `SELECT string_agg(format('SELECT %L, count(*) FROM ONLY %I.%I', nspname || '.' || relname, nspname, relname), ' UNION ALL ')
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^pg_|^information'`,
    name,
  );
  return JSON.parse(
    await server.sql(`SELECT json_object_agg(name, rows) FROM (${queries}) AS counted (name, rows)`, name),
  );
}

/** pg_dump's own view of everything. */
export async function fingerprintOf(server: PostgresServer, name: string): Promise<string> {
  return withoutKey(await server.program('pg_dump', [], name));
}

/** The fence's key is random. */
export function withoutKey(script: string): string {
  return script.replace(/^\\(un)?restrict .*$/gm, '');
}
