import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redact } from '../../src/redact.ts';
import { mysqlType, sqlFormat } from '../../src/source/mysql/mysql.ts';
import type { Dump, RestoreRequest, Source, SourceContext } from '../../src/source/source.ts';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import {
  countedRows,
  createdDatabase,
  dumpToFile,
  fingerprintOf,
  nastySql,
  noiseSql,
  quoted,
  requestFor,
  sourceContext,
} from '../servers/mariadb-source.ts';

const cuts = Number(process.env['DBBACKUP_TEST_CUTS'] ?? 6);
const bigBytes = Number(process.env['DBBACKUP_TEST_BIG_BYTES'] ?? 200_000);

let server: MariadbServer;
let folder: string;
let script: string;
const context = (more: Partial<SourceContext> = {}): SourceContext => ({ ...sourceContext(folder), ...more });

beforeAll(async () => {
  server = await startMariadb();
  folder = await mkdtemp(join(tmpdir(), 'dbb-my-fault-'));
  await createdDatabase(server, 'nasty', await nastySql(bigBytes));
  await createdDatabase(server, 'large', noiseSql);
  script = join(folder, 'nasty.sql');
  await dumpToFile(server, 'nasty', script, context());
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

function source(database: string, more: object = {}): Source {
  return mysqlType.open({ url: server.url(database), ...more }, folder);
}

function startDump(from: Source, more: Partial<SourceContext> = {}): Promise<Dump> {
  return from.dump({ format: sqlFormat, backupType: 'full', filter: {} }, context(more));
}

/** Reads to the end and returns what the stream ended with. */
async function failureOf(dump: Promise<Dump>): Promise<unknown> {
  try {
    for await (const _chunk of (await dump).stream);
  } catch (error) {
    return error;
  }
  throw new Error('the dump ended as if it were whole');
}

/** The real client, but mariadb-dump is a script of ours. */
async function clientsWith(name: string, dump: string): Promise<string> {
  const clients = join(folder, name);
  await mkdir(clients);
  await symlink('/usr/bin/mariadb', join(clients, 'mariadb'));
  const head = `#!/bin/sh\nREAL=/usr/bin/mariadb-dump\n[ "$1" = --version ] && VERSION=1\n`;
  await writeFile(join(clients, 'mariadb-dump'), `${head}${dump}\n`);
  await chmod(join(clients, 'mariadb-dump'), 0o755);
  return clients;
}

const honest = '[ -n "$VERSION" ] && exec $REAL --version\n';

const fingerprint = (database: string) => fingerprintOf(server, database);
const rowsIn = (table: string, database: string) => server.sql(`SELECT count(*) FROM ${quoted(table)};`, database);

async function databasesBeside(name: string): Promise<string[]> {
  const all = (await server.sql('SHOW DATABASES;')).split('\n');
  return all.filter((each) => each.startsWith(`${name}_`));
}

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' '));
}

describe('the dump', () => {
  test('F01 without a client the error names the programs and their package', async () => {
    const clients = join(folder, 'no-clients');
    await mkdir(clients);
    await expect(source('nasty', { clientFolder: clients }).inspect(context())).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringMatching(/mariadb-dump.*mysqldump/),
      hint: expect.stringContaining('mariadb-client'),
    });
  });

  test('F02 a client older than the server is refused with both versions, unless it is meant', async () => {
    const old = 'echo "mysqldump  Ver 10.16 Distrib 10.1.48-MariaDB, for debian-linux-gnu (x86_64)"';
    const clients = await clientsWith('old', `[ -n "$VERSION" ] && { ${old}; exit; }\nexec $REAL "$@"`);
    const failure = source('nasty', { clientFolder: clients }).inspect(context());
    await expect(failure).rejects.toMatchObject({
      code: 'TOOL_TOO_OLD',
      hint: expect.stringContaining('clientFolder'),
    });
    await expect(failure).rejects.toThrow(/10\.1\.48/);
    await expect(failure).rejects.toThrow(new RegExp(server.version.split('-')[0] ?? '?'));
    const meant = await source('nasty', { clientFolder: clients, allowOlderClient: true }).inspect(context());
    expect(meant.warnings.join()).toMatch(/10\.1\.48 is older/);
  });

  test('F03 a wrong or missing password fails at once', async () => {
    const started = performance.now();
    for (const password of ['wrong-password', undefined]) {
      const options = { host: server.host, port: server.port, user: 'root', database: 'nasty', password };
      const failure = mysqlType.open(options, folder).inspect(context());
      await expect(failure).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('a server that is not there, and a database that is not', async () => {
    const away = mysqlType.open({ url: 'mysql://root@127.0.0.1:1/x' }, folder).inspect(context());
    await expect(away).rejects.toMatchObject({ code: 'SOURCE_FAILED', retryable: true });
    await expect(startDump(source('nowhere'))).rejects.toThrow(/no database nowhere/);
    // Letter case counts.
    await expect(startDump(source('Nasty'))).rejects.toThrow(/no database Nasty/);
  });

  test('TLS that is asked for and not there is an error, although the client lets it pass', async () => {
    for (const ssl of ['require', 'verify']) {
      await expect(source('nasty', { ssl }).inspect(context())).rejects.toThrow(/not encrypted|SSL/);
    }
    await expect(source('nasty', { ssl: 'disable' }).inspect(context())).resolves.toBeDefined();
  });

  test('F04 a connection lost in mid-dump', async () => {
    const dump = await startDump(source('large'));
    await new Promise((resolve) => dump.stream.once('readable', resolve));
    const ids = await server.sql(`SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'large';`);
    expect(ids).toMatch(/^\d+$/);
    await server.sql(`KILL ${ids};`);
    await expect(failureOf(Promise.resolve(dump))).resolves.toMatchObject({ exitCode: 3 });
  });

  test('F05 no bytes and exit 0 is an empty dump', async () => {
    const clients = await clientsWith('empty', `${honest}exit 0`);
    const failure = failureOf(startDump(source('nasty', { clientFolder: clients })));
    await expect(failure).resolves.toMatchObject({ code: 'DUMP_EMPTY' });
  });

  test('F06 a killed dump tool', async () => {
    const clients = await clientsWith('killed', `${honest}$REAL "$@" | head -c 9000000; kill -9 $$`);
    const failure = failureOf(startDump(source('large', { clientFolder: clients })));
    await expect(failure).resolves.toMatchObject({ code: 'TOOL_FAILED' });
  });

  test('F07 a cut dump with exit 0 is incomplete', async () => {
    const clients = await clientsWith('cut', `${honest}$REAL "$@" | head -c 300000; exit 0`);
    const failure = failureOf(startDump(source('large', { clientFolder: clients })));
    await expect(failure).resolves.toMatchObject({
      code: 'DUMP_INCOMPLETE',
      message: expect.stringContaining('noise'),
    });
  });

  test('F07 a whole dump whose tool then fails', async () => {
    const clients = await clientsWith('late', `${honest}$REAL "$@"; exit 2`);
    const failure = failureOf(startDump(source('nasty', { clientFolder: clients })));
    await expect(failure).resolves.toMatchObject({ code: 'TOOL_FAILED' });
  });

  test('F08 a silent dump tool is stopped, with its children', async () => {
    const clients = await clientsWith('stalled', `${honest}sleep 987653 & sleep 987653`);
    const failure = failureOf(startDump(source('nasty', { clientFolder: clients }), { idleTimeoutMs: 1500 }));
    await expect(failure).resolves.toMatchObject({ code: 'TIMEOUT' });
    expect((await commandLines()).filter((line) => line.includes('sleep 987653'))).toEqual([]);
  });

  test('F38 no password on a command line, in the identity, or in a message', async () => {
    const dump = await startDump(source('large'));
    await new Promise((resolve) => dump.stream.once('readable', resolve));
    const lines = (await commandLines()).filter((line) => line.includes('mariadb-dump'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join()).not.toContain(server.password);
    dump.stream.destroy();
    expect(JSON.stringify(source('nasty').identity)).not.toContain(server.password);
    expect(redact(`using ${server.password}`)).not.toContain(server.password);
  });

  test('what option files say does not make a dump incomplete', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    const said = '[mysqldump]\nforce\nskip-comments\nskip-triggers\nskip-opt\n[client]\nuser=somebody\npassword=else\n';
    await writeFile(join(home, '.my.cnf'), said, { mode: 0o600 });
    const [before, path] = [process.env['HOME'], join(folder, 'own-options.sql')];
    process.env['HOME'] = home;
    try {
      await dumpToFile(server, 'nasty', path, context());
    } finally {
      process.env['HOME'] = before;
    }
    expect((await readFile(path)).equals(await readFile(script))).toBe(true);
  });

  test('include and exclude, schema and data', async () => {
    const dumped = async (choice: object) => {
      const path = join(folder, `part-${Math.random()}.sql`);
      const contents = await dumpToFile(server, 'nasty', path, context(), choice);
      return { tables: contents[0]?.tables ?? {}, text: await readFile(path, 'utf8') };
    };
    const some = await dumped({ filter: { include: ['c*', '--help'], exclude: ['crash*'] } });
    expect(some.tables).toEqual({ '--help': 3, child: 50 });
    expect(some.text).not.toMatch(/PROCEDURE|EVENT/);
    const none = dumped({ filter: { include: ['types'], exclude: ['t*'] } });
    await expect(none).rejects.toThrow(/excludes all that it includes: types/);
    const most = await dumped({ filter: { exclude: ['a\nb*', 'types'] } });
    expect(Object.keys(most.tables)).not.toContain('types');
    expect(most.text).toMatch(/PROCEDURE/);
    const schema = await dumped({ backupType: 'schema' });
    expect(schema.text).not.toMatch(/^INSERT/m);
    expect(schema.tables['types']).toBeNull();
    const data = await dumped({ backupType: 'data' });
    expect(data.text).not.toMatch(/^(CREATE|ALTER DATABASE)|TRIGGER|EVENT|PROCEDURE|FUNCTION/m);
    expect(data.tables).toEqual(await countedRows(server, 'nasty'));
    await expect(dumped({ filter: { include: ['nothing*'] } })).rejects.toThrow(/no table matches "nothing\*"/);
  });

  test('warns of missing rights and of tables that are not transactional', async () => {
    await server.sql(`CREATE USER poor IDENTIFIED BY 'poor-password'; GRANT SELECT ON nasty.* TO poor;`);
    const poor = mysqlType.open({ url: `mysql://poor:poor-password@127.0.0.1:${server.port}/nasty` }, folder);
    const { warnings } = await poor.inspect(context());
    expect(warnings.join('\n')).toMatch(
      /views, triggers, events of nasty[\s\S]*GRANT SHOW VIEW, TRIGGER, EVENT ON `nasty`/,
    );
    expect(warnings.join('\n')).toMatch(/GRANT SELECT ON mysql\.proc/);
    expect(warnings.join('\n')).toMatch(/old_engine \(MyISAM\)/);
    const rich = (await source('large').inspect(context())).warnings;
    expect(rich).toEqual([]);
  });
});

describe('the restore', () => {
  const restore = (database: string, choice: Partial<RestoreRequest> = {}, path = script) =>
    source(database).restore(requestFor(path, choice), context());

  test('F40 an error stops it at once, with line and statement, and the target stays empty', async () => {
    await createdDatabase(server, 'fresh');
    const before = await fingerprint('fresh');
    const broken = join(folder, 'broken.sql');
    const text = await readFile(script, 'utf8');
    const at = text.indexOf('INSERT INTO `zero`');
    const line = text.slice(0, at).split('\n').length;
    await writeFile(broken, `${text.slice(0, at)}INSERT INTO \`zero\` VALUES\n('secret',1,2);\n${text.slice(at)}`);
    const failure = restore('fresh', {}, broken);
    await expect(failure).rejects.toThrow(`at line ${line}`);
    await expect(failure).rejects.toThrow('The statement: INSERT INTO `zero` VALUES');
    await expect(failure).rejects.not.toThrow('secret');
    expect(await fingerprint('fresh')).toEqual(before);
    await expect(restore('made', { create: true }, broken)).rejects.toThrow('at line');
    expect(await databasesBeside('mad')).toEqual([]);
    expect(await server.sql(`SHOW DATABASES LIKE 'made';`)).toBe('');
  });

  test('F40 with --clean an error leaves the old data, wherever it happens', { timeout: 120_000 }, async () => {
    await createdDatabase(server, 'kept', await nastySql(1000));
    const before = await fingerprint('kept');
    const text = await readFile(script, 'utf8');
    // Among the tables; in a trigger; in an event, which is made only after the tables have moved.
    const wrong: readonly (readonly [string, string])[] = [
      ['CREATE TABLE `parent`', 'CREATE TABLE `parent` ( NONSENSE ); CREATE TABLE `parent`'],
      ['INSERT INTO log VALUES', 'NONSENSE log VALUES'],
      ['EVENT `off` ON SCHEDULE', 'EVENT `off` NONSENSE'],
    ];
    for (const [what, instead] of wrong) {
      const path = join(folder, 'wrong.sql');
      expect(text).toContain(what);
      await writeFile(path, text.replace(what, instead));
      await expect(restore('kept', { clean: true }, path)).rejects.toThrow(/ERROR 1064/);
      expect(await fingerprint('kept')).toEqual(before);
      expect(await databasesBeside('kept')).toEqual([]);
    }
  });

  test('F40 --clean replaces all of it, and rights on the database stay', async () => {
    await createdDatabase(server, 'replaced', 'CREATE TABLE own (id int); CREATE VIEW seen AS SELECT * FROM own;');
    await server.sql(
      `CREATE USER reader; GRANT SELECT ON replaced.* TO reader; GRANT SELECT ON replaced.own TO reader;`,
    );
    const rights = await server.sql('SHOW GRANTS FOR reader;');
    await restore('replaced', { clean: true });
    expect(await fingerprint('replaced')).toEqual(await fingerprint('nasty'));
    expect(await server.sql('SHOW GRANTS FOR reader;')).toBe(rights);
    expect(await databasesBeside('replaced')).toEqual([]);
    await expect(server.sql('INSERT INTO child VALUES (99, 77, NULL, 1);', 'replaced')).rejects.toThrow(/foreign key/);
  });

  test('--clean refuses a database to which foreign keys of another refer', async () => {
    await createdDatabase(server, 'referred', 'CREATE TABLE t (id int PRIMARY KEY);');
    await createdDatabase(server, 'refers', 'CREATE TABLE r (id int, FOREIGN KEY (id) REFERENCES referred.t (id));');
    await expect(restore('referred', { clean: true })).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
    expect(await databasesBeside('referred')).toEqual([]);
  });

  test('F40 broken off anywhere it leaves an empty target empty', { timeout: 120_000 }, async () => {
    await createdDatabase(server, 'cut_off');
    const before = await fingerprint('cut_off');
    const { size } = await stat(script);
    for (let round = 0; round < cuts; round++) {
      const at = Math.floor((size * (round + 1)) / cuts);
      const request = { ...requestFor(script), input: { kind: 'stream' as const, stream: broken(script, at) } };
      await expect(source('cut_off').restore(request, context())).rejects.toThrow('upstream broke');
      expect(await fingerprint('cut_off')).toEqual(before);
    }
    const file = join(folder, 'cut.sql');
    await writeFile(file, (await readFile(script)).subarray(0, size - 10));
    await expect(restore('cut_off', {}, file)).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
    expect(await fingerprint('cut_off')).toEqual(before);
  });

  test('data alone, the schema alone, one table', async () => {
    await restore('parts', { schemaOnly: true, create: true });
    expect(await rowsIn('child', 'parts')).toBe('0');
    await expect(restore('parts', { dataOnly: true, clean: true })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await restore('parts', { dataOnly: true });
    expect(await countedRows(server, 'parts')).toMatchObject({ child: 50, types: 304, measured: 900 });
    await expect(restore('parts', { dataOnly: true })).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    await createdDatabase(server, 'one');
    const done = await restore('one', { tables: ['child', "a\nb.c'd"] });
    expect(done.warnings.join()).toMatch(/triggers, views, routines and events were left out/);
    expect(await countedRows(server, 'one')).toEqual({ child: 50, "a\nb.c'd": 2 });
    await expect(restore('one', { tables: ['zero', 'nowhere'] })).rejects.toThrow(/no table nowhere/);
    expect(await countedRows(server, 'one')).toEqual({ child: 50, "a\nb.c'd": 2 });
    await expect(restore('one', { tables: ['child'] })).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
  });

  test('a script that leads out of the target is refused', async () => {
    await createdDatabase(server, 'led_away');
    const path = join(folder, 'databases.sql');
    const tables = await server.program('mariadb-dump', ['--databases', 'large', '--skip-dump-date']);
    await writeFile(path, tables);
    await expect(restore('led_away', {}, path)).rejects.toThrow(/CREATE DATABASE.*leads out of the target/);
  });

  test("the tools' own scripts are taken, with the sandbox line and without", async () => {
    const plain = await server.program('mariadb-dump', ['--routines', '--events', '--single-transaction', 'nasty']);
    expect(plain.startsWith('/*M!999999')).toBe(true);
    for (const [index, text] of [plain, plain.slice(plain.indexOf('\n') + 1)].entries()) {
      const path = join(folder, `vendor-${index}.sql`);
      await writeFile(path, text);
      await restore(`vendor_${index}`, { create: true }, path);
      expect(await rowsIn('types', `vendor_${index}`)).toBe('304');
    }
  });

  test('F33 databases of every name go there and back', async () => {
    for (const name of ['--help', '$(rm)', 'a\nb', `it's "so"`, '../x', 'größe 表', '`tick`', 'per%cent_', 'plain']) {
      await createdDatabase(server, name, 'CREATE TABLE t AS SELECT 1 AS one; CREATE VIEW v AS SELECT * FROM t;');
      const bare = /^\w+$/.test(name) ? name : quoted(name);
      await server.sql(`CREATE TRIGGER ${bare}.tr BEFORE INSERT ON ${bare} . t FOR EACH ROW SET NEW.one = 5;`);
      const path = join(folder, 'odd.sql');
      await dumpToFile(server, name, path, context());
      const copy = `copy of ${name}`;
      await restore(copy, { create: true }, path);
      await restore(copy, { clean: true }, path);
      expect(await server.sql('SELECT one FROM v; INSERT INTO t VALUES (2); SELECT max(one) FROM t;', copy)).toBe(
        '1\n5',
      );
    }
  });
});

/** The file's bytes up to `at`, then an error; in the middle of a program's work, not before it has begun. */
function broken(path: string, at: number, pauseMs = 150): Readable {
  const stream = new PassThrough();
  // On a busy machine it may break before anybody listens.
  stream.on('error', () => {});
  const file = at === 0 ? Readable.from([]) : createReadStream(path, { end: at - 1 });
  file.pipe(stream, { end: false });
  file.once('end', () => void delay(pauseMs).then(() => stream.destroy(new Error('upstream broke'))));
  return stream;
}
