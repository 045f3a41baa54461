/** MySQL itself, by its own programs and by those of MariaDB. Skipped, and counted so, where it could not be fetched. */

import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mysqlType, sqlFormat } from '../../src/source/mysql/mysql.ts';
import type { MysqlOptions } from '../../src/source/mysql/options.ts';
import type { Source, TableFilter } from '../../src/source/source.ts';
import { quoted, requestFor, sourceContext } from '../servers/mariadb-source.ts';
import { hasMysql, type MysqlServer, startMysql } from '../servers/mysql.ts';

describe.skipIf(!hasMysql)('MySQL itself', { timeout: 120_000 }, () => {
  let server: MysqlServer;
  let folder: string;

  beforeAll(async () => {
    server = await startMysql();
    folder = await mkdtemp(join(tmpdir(), 'dbb-mysql-contract-'));
    await server.sql('CREATE DATABASE nasty; CREATE DATABASE taken; CREATE TABLE taken.old (id int);');
    await server.sql(await readFile(join(import.meta.dirname, '../servers/mysql-nasty.sql'), 'utf8'), 'nasty');
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  function source(database: string, more: Partial<MysqlOptions> = {}): Source {
    const { port, user, password, clientFolder } = server;
    return mysqlType.open({ host: '127.0.0.1', port, user, password, clientFolder, database, ...more }, '/');
  }

  async function dumped(from: Source, name: string, filter: TableFilter = {}) {
    const path = join(folder, name);
    const dump = await from.dump({ format: sqlFormat, backupType: 'full', filter }, sourceContext(folder));
    await pipeline(dump.stream, createWriteStream(path));
    return { path, contents: await dump.contents() };
  }

  /** Schema, rows, routines, triggers, events, views as mysqldump shows them; checksums of tables; the database. */
  async function fingerprint(name: string, leftOut: readonly string[] = []): Promise<unknown> {
    const ignored = leftOut.map((table) => `--ignore-table=${name}.${table}`);
    const all = ['--single-transaction', '--routines', '--triggers', '--events', '--hex-blob', '--skip-comments'];
    const dump = await server.program('mysqldump', [...all, '--set-gtid-purged=OFF', ...ignored, name]);
    const where = `TABLE_SCHEMA = '${name}' AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1`;
    const tables = (await server.sql(`SELECT TABLE_NAME FROM information_schema.TABLES WHERE ${where}`)).split('\n');
    const kept = tables.filter((table) => !leftOut.includes(table)).map(quoted);
    const sums = await server.sql(`CHECKSUM TABLE ${kept.join(', ')} EXTENDED;`, name);
    return {
      // What a column has from its table the server shows as its own once it has been dumped and loaded.
      dump: dump.replaceAll(`${quoted(name)}.`, '').replaceAll('CHARACTER SET utf8mb4 COLLATE', 'COLLATE'),
      sums: sums.replaceAll(`${name}.`, ''),
      database: (await server.sql(`SHOW CREATE DATABASE ${quoted(name)};`)).replace(/^[\s\S]*\/\*!40100/, ''),
    };
  }

  test('is dumped by its own programs, and restored equal: into a new database, and in the place of another', async () => {
    const { path, contents } = await dumped(source('nasty'), 'own.sql');
    expect(contents[0]?.tables).toMatchObject({ types: 5, modern: 2, 'größe "x" `表': 3, log: 0, vectors: 1 });
    const context = sourceContext(folder);
    await source('nasty').restore(requestFor(path, { database: 'fresh', create: true }), context);
    expect(await fingerprint('fresh')).toEqual(await fingerprint('nasty'));
    await source('taken').restore(requestFor(path, { clean: true }), context);
    expect(await fingerprint('taken')).toEqual(await fingerprint('nasty'));
  });

  test('is refused to programs of MariaDB where they spoil what they dump, and else dumped and restored by them', async () => {
    const foreign = source('nasty', { clientFolder: undefined });
    await expect(dumped(foreign, 'spoiled.sql')).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('modern, vectors'),
      hint: expect.stringContaining('clientFolder'),
    });
    const leftOut = ['modern', 'vectors'];
    const { path } = await dumped(foreign, 'foreign.sql', { exclude: leftOut });
    await foreign.restore(requestFor(path, { database: 'foreign', create: true }), sourceContext(folder));
    expect(await fingerprint('foreign', leftOut)).toEqual(await fingerprint('nasty', leftOut));
  });

  test('says which rights are missing, and what is wrong with a password', async () => {
    await server.sql(`CREATE USER low@'127.0.0.1' IDENTIFIED BY 'x'; GRANT SELECT ON nasty.* TO low@'127.0.0.1';`);
    const { warnings } = await source('nasty', { user: 'low', password: 'x' }).inspect(sourceContext(folder));
    expect(warnings.join('\n')).toMatch(/GRANT SHOW VIEW, TRIGGER, EVENT ON `nasty`[\s\S]*GRANT SHOW_ROUTINE ON/);
    const wrong = source('nasty', { user: 'low', password: 'y' });
    await expect(wrong.inspect(sourceContext(folder))).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  });
});
