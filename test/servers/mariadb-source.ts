/** What every test of the MySQL source needs: databases, fingerprints, a context, requests, a dump in a file. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mysqlType, sqlFormat } from '../../src/source/mysql/mysql.ts';
import type { DatabaseContents, DumpRequest, RestoreRequest, SourceContext } from '../../src/source/source.ts';
import type { MariadbServer } from './mariadb.ts';

export const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/** `bigBytes`: size of one large value. */
export async function nastySql(bigBytes = 200_000): Promise<string> {
  const script = await readFile(join(import.meta.dirname, 'mariadb-nasty.sql'), 'utf8');
  return `SET @big = ${bigBytes};\n${script}`;
}

/** 20 MB that look random. */
export const noiseSql = `CREATE TABLE noise AS SELECT o.seq AS i, (SELECT group_concat(sha2(o.seq * 1000 + n.seq, 512) SEPARATOR '')
  FROM seq_1_to_8 n) AS value FROM seq_1_to_20000 o;`;

export async function createdDatabase(server: MariadbServer, name: string, sql = ''): Promise<void> {
  await server.sql(`CREATE DATABASE ${quoted(name)};`);
  if (sql !== '') await fillDatabase(server, name, sql);
}

/** `--comments`: those in routines are part of them. */
export async function fillDatabase(server: MariadbServer, name: string, sql: string): Promise<void> {
  const client = [
    '--batch',
    '--binary-mode',
    '--comments',
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
  ];
  await server.program('mariadb', [...client, `--database=${name}`], sql);
}

async function tablesOf(server: MariadbServer, name: string): Promise<readonly string[]> {
  const hex = Buffer.from(name).toString('hex');
  const rows = await server.sql(
    `SELECT HEX(TABLE_NAME) FROM information_schema.TABLES WHERE BINARY TABLE_SCHEMA = X'${hex}' AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1;`,
  );
  return rows
    .split('\n')
    .filter(Boolean)
    .map((row) => Buffer.from(row, 'hex').toString());
}

/** Rows of every table, counted by the server, under the names that `contents()` uses; of the past, too. */
export async function countedRows(server: MariadbServer, name: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of await tablesOf(server, name)) {
    const all = table === 'versioned' ? ' FOR SYSTEM_TIME ALL' : '';
    counts[table] = Number(await server.sql(`SELECT count(*) FROM ${quoted(table)}${all};`, name));
  }
  return counts;
}

/** Schema and checksum of every table, all rows as the dump tool shows them, routines, triggers, events, views. */
export async function fingerprintOf(server: MariadbServer, name: string): Promise<unknown> {
  const dump = await server.program('mariadb-dump', [
    ...['--single-transaction', '--quick', '--routines', '--triggers', '--events', '--hex-blob', '--skip-comments'],
    ...['--default-character-set=utf8mb4', '--dump-history', '--max-allowed-packet=1G', '--', name],
  ]);
  const tables = await tablesOf(server, name);
  const sums =
    tables.length === 0 ? '' : await server.sql(`CHECKSUM TABLE ${tables.map(quoted).join(', ')} EXTENDED;`, name);
  const database = await server.sql(`SHOW CREATE DATABASE ${quoted(name)};`);
  return {
    dump: dump.replaceAll(`${quoted(name)}.`, ''),
    sums: sums.split('\n').map((line) => line.split('\t').at(-1)),
    database: database.replace(/^[\s\S]*\/\*!40100/, ''),
  };
}

export function sourceContext(folder: string, signal = AbortSignal.timeout(300_000)): SourceContext {
  return { signal, temporaryFolder: () => mkdtemp(join(folder, 'execution-')), log: () => {} };
}

export function requestFor(path: string, choice: Partial<RestoreRequest> = {}): RestoreRequest {
  return {
    format: sqlFormat,
    input: { kind: 'file', path },
    ...{ create: false, clean: false, dataOnly: false, schemaOnly: false, noOwner: false, noPrivileges: false },
    ...{ tables: [], jobs: 1, restoreId: 'a1b2c3' },
    ...choice,
  };
}

export async function dumpToFile(
  server: MariadbServer,
  database: string,
  path: string,
  context: SourceContext,
  choice: Partial<DumpRequest> = {},
): Promise<readonly DatabaseContents[]> {
  const source = mysqlType.open({ url: server.url(database) }, '/');
  const dump = await source.dump({ format: sqlFormat, backupType: 'full', filter: {}, ...choice }, context);
  await pipeline(dump.stream, createWriteStream(path));
  return await dump.contents();
}
