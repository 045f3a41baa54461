/** Several PostgreSQL databases as one backup, through the built program: there, back, in part, damaged, and without us. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Sidecar } from '../../src/sidecar/sidecar.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import { countedRows, createdDatabase, fingerprintOf } from '../servers/postgres-source.ts';
import { backupsOf, expectNothingPublished, filesIn, historyOf, processesOf, sha256 } from './aftermath.ts';
import { expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

const [nasty, words, large] = [`it's "so" = nasty`, 'два слова --help ../x', 'large'] as const;
const three = [nasty, words, large];

const config = (server: PostgresServer) =>
  JSON.stringify({
    sources: {
      main: { type: 'postgres', url: `postgres://postgres@${server.host}:${server.port}/` },
      broken: {
        type: 'postgres',
        url: `postgres://postgres@${server.host}:${server.port}/`,
        clientFolder: './clients',
      },
    },
    destinations: { disk: { type: 'local', path: './backups' } },
    encryption: { age: { type: 'age', passphrase: 'open sesame' } },
    jobs: {
      three: { source: 'main', destinations: 'disk', databases: [nasty, words, 'larg?'], compression: 'none' },
      all: { source: 'main', destinations: 'disk', databases: { exclude: ['postgres', 'copy*'] }, encryption: 'age' },
      plain: { source: 'main', destinations: 'disk', databases: words, format: 'plain' },
      broken: { source: 'broken', destinations: 'disk', databases: three },
      missing: { source: 'main', destinations: 'disk', databases: [words, 'larges'] },
      rows: { source: 'main', destinations: 'disk', databases: words, backupType: 'data' },
    },
  });

/** 16 MB: several parts. */
const largeSql = `CREATE TABLE large AS SELECT i, repeat(md5(i::text), 100) AS filler FROM generate_series(1, 5000) i;`;
const wordsSql = `CREATE ROLE "the ""keeper""; 'x'" LOGIN PASSWORD 'never kept'; CREATE ROLE members NOLOGIN;
GRANT members TO "the ""keeper""; 'x'" WITH ADMIN OPTION; ALTER ROLE members SET search_path TO 'a', 'b c';
COMMENT ON ROLE members IS E'a \\\\ and\n\\\\restrict; it''s';
CREATE TABLE слова AS SELECT 'один' AS слово UNION ALL SELECT 'два';
CREATE TABLE plain AS SELECT 1 AS i; ALTER TABLE plain OWNER TO "the ""keeper""; 'x'";`;

let server: PostgresServer;
let place: Workplace;
const others: PostgresServer[] = [];

beforeAll(async () => {
  server = await startPostgres();
  place = await makeWorkplace({ PGPASSWORD: server.password });
  await place.configure(config(server));
  await createdDatabase(server, nasty, nastySql(), place.folder);
  await createdDatabase(server, words, wordsSql, place.folder);
  await createdDatabase(server, large, largeSql, place.folder);
  expectCode(await place.run('run', 'three', 'all', 'plain', 'rows'), 0);
}, 60_000);
afterEach(async () => {
  for (const each of others.splice(0)) await each.stop();
});
afterAll(async () => {
  await server?.stop();
  await place?.remove();
});

async function emptyServer(): Promise<PostgresServer> {
  const other = await startPostgres();
  others.push(other);
  return other;
}

const urlOf = (to: PostgresServer, database = '') => `postgres://postgres@${to.host}:${to.port}/${database}`;
const restore = (to: PostgresServer, what: string, ...flags: string[]): Promise<Run> =>
  place.start(['restore', what, '--to', urlOf(to), ...flags], { PGPASSWORD: to.password }).ended;

const databasesOf = async (of: PostgresServer): Promise<string[]> =>
  JSON.parse(await of.sql(`SELECT json_agg(datname ORDER BY datname) FROM pg_database WHERE NOT datistemplate`));
const rolesOf = async (of: PostgresServer): Promise<string> =>
  (await of.program('pg_dumpall', ['--globals-only', '--no-role-passwords'])).replace(/^\\(un)?restrict .*$/gm, '');

async function latest(job: string): Promise<{ key: string; path: string; sidecar: Sidecar }> {
  const { key } = (await backupsOf(place)).filter((each) => each.key.startsWith(`${job}/`)).at(-1) ?? { key: '' };
  const path = place.path('backups', key);
  return { key, path, sidecar: JSON.parse(await readFile(`${path}.meta.json`, 'utf8')) as Sidecar };
}

async function expectSame(other: PostgresServer, names: readonly string[]): Promise<void> {
  for (const name of names) expect(await fingerprintOf(other, name), name).toBe(await fingerprintOf(server, name));
}

describe('there and back', { timeout: 120_000 }, () => {
  test('all databases and roles on an empty server are identical by pg_dump', async () => {
    const other = await emptyServer();
    const run = await restore(other, 'three@latest', '--create');
    expect(expectCode(run, 0).stderr).toMatch(/holds no password of: the "keeper"; 'x'/);
    await expectSame(other, three);
    expect(await rolesOf(other)).toBe(await rolesOf(server));
    expect(processesOf(place)).toEqual([]);
    expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
    // Again: the roles are there now, and named; so is the data.
    expect(expectCode(await restore(other, 'three@latest', '--create'), 3).stderr).toMatch(/already hold data/);
    const clean = await restore(other, 'three@latest', '--clean', '--yes');
    expect(expectCode(clean, 0).stderr).toMatch(/left as they are: members, the "keeper"; 'x'/);
    await expectSame(other, three);
  });

  test('encrypted and compressed, without its sidecar and without a config', async () => {
    const other = await emptyServer();
    const { path } = await latest('all');
    const bare = await makeWorkplace({ PGPASSWORD: other.password });
    try {
      await copyFile(path, bare.path(basename(path)));
      await bare.configure('encryption: { age: { type: age, passphrase: open sesame } }');
      const run = await bare.run('restore', basename(path), '--to', urlOf(other), '--create');
      expect(expectCode(run, 0).stderr).toMatch(/no sidecar/);
      await expectSame(other, three);
      // Readable to its end, and nothing to compare it with.
      expectCode(await bare.run('verify', basename(path)), 8);
    } finally {
      await bare.remove();
    }
  });

  test('the sidecar names every member with its sum, and tar gives it whole', async () => {
    const { path, sidecar } = await latest('three');
    expect(basename(path)).toMatch(/\.tar$/);
    expect(sidecar.artifact.format).toBe('bundle');
    expect(sidecar.source.databases).toEqual([...three].sort());
    const members = sidecar.bundle?.members ?? [];
    expect(members.map(({ kind, name, format }) => [kind, name, format])).toEqual([
      ['globals', 'globals', 'globals'],
      ...[...three].sort().map((name) => ['database', name, 'custom']),
    ]);
    for (const { folder, bytes, sha256: sum } of members) {
      const { stdout } = await promisify(execFile)('tar', ['-xOf', path, folder], {
        maxBuffer: 64 * 1024 * 1024,
        encoding: 'buffer',
      });
      expect([stdout.length, sha256(stdout)]).toEqual([bytes, sum]);
    }
    expect(members.find(({ name }) => name === large)?.parts).toBeGreaterThan(3);
    for (const { name, tables } of sidecar.contents) expect(tables).toEqual(await countedRows(server, name));
    expect((await latest('rows')).sidecar.bundle?.members.map(({ kind }) => kind)).toEqual(['database']);
    for (const file of [path, `${path}.meta.json`]) expect((await readFile(file)).includes('SCRAM')).toBe(false);
  });

  test('tune reads it as a run does, encrypted, too', async () => {
    const { stdout } = expectCode(await place.run('tune', 'all', '--codec', 'none', '--json'), 0);
    const said = stdout.split('\n').filter((line) => line !== '');
    const found = said.map((line) => JSON.parse(line)).find((each) => each.type === 'result');
    expect(found).toMatchObject({ whole: true, recommendation: { type: 'zstd' } });
    expect(found.readBytes).toBeGreaterThan(16_000_000);
  });

  test('verify, show, list and download know it', async () => {
    expectCode(await place.run('verify', '--all'), 0);
    const shown = expectCode(await place.run('show', 'three@latest'), 0).stdout;
    for (const part of [/bundle of 3 databases/, /tar -xOf .* @globals/, /public\.слова: 2 rows/, /large, 1 tables/]) {
      expect(shown).toMatch(part);
    }
    expectCode(await place.run('download', 'all@latest', '--decrypt', '--decompress', '-o', 'all.tar'), 0);
    const { stdout } = await promisify(execFile)('tar', ['-tf', place.path('all.tar')]);
    expect(stdout).toMatch(/^manifest\.json\n@globals\/000001\.sql\n[\s\S]*\nend\.json\n$/);
    expect(expectCode(await place.run('list'), 0).stdout).toMatch(/all +\S+ \S+ +postgres ×3/);
  });

  test.each(['three', 'plain'])('its own lines bring it back on a blank machine: tar and psql (%s)', async (job) => {
    const { path, sidecar } = await latest(job);
    const blank = await emptyServer();
    const folder = place.path(`recovery-${job}`);
    await mkdir(folder);
    await copyFile(path, join(folder, basename(path)));
    const lines = sidecar.recover.filter((line) => !line.startsWith('apt-get'));
    const PATH = `${blank.programs}:${process.env['PATH']}`;
    const env = { PATH, PGHOST: blank.socketDir, PGPORT: String(blank.port), PGUSER: 'postgres', HOME: folder };
    await promisify(execFile)('sh', ['-ec', lines.join('\n')], { cwd: folder, env });
    await expectSame(blank, job === 'three' ? three : [words]);
    expect(await rolesOf(blank)).toBe(await rolesOf(server));
  });
});

describe('a part of it', { timeout: 120_000 }, () => {
  test('one database, under another name, beside the others', async () => {
    const before = await databasesOf(server);
    const flags = ['--database', nasty, '--map', `${nasty}=copy = 1`, '--create'];
    const run = await restore(server, 'three@latest', ...flags);
    expect(expectCode(run, 0).stdout).toContain('as copy = 1');
    expect(await fingerprintOf(server, 'copy = 1')).toBe(await fingerprintOf(server, nasty));
    expect(await databasesOf(server)).toEqual([...before, 'copy = 1'].sort());
    // Without --database: all of them, that one renamed.
    const taken = await restore(server, 'three@latest', '--map', `${nasty}=copy 2`, '--create');
    expect(expectCode(taken, 3).stderr).toMatch(/already hold data/);
  });

  test('one database does not bring roles, unless it is told to', async () => {
    const other = await emptyServer();
    const one = ['--database', words, '--create'];
    expect(expectCode(await restore(other, 'three@latest', ...one), 3).stderr).toMatch(/role .* does not exist/);
    expect(await databasesOf(other)).toEqual(['postgres']);
    expectCode(await restore(other, 'three@latest', ...one, '--globals'), 0);
    await expectSame(other, [words]);
  });

  test('single tables, definitions alone, workers; and what the format cannot is refused', async () => {
    const other = await emptyServer();
    const one = ['--database', words, '--create', '--no-owner'];
    const table = await restore(other, 'three@latest', ...one, '--table', 'слова');
    expect(expectCode(table, 0).stderr).toMatch(/indexes/);
    expect(await countedRows(other, words)).toEqual({ 'public.слова': 2 });
    const shape = ['--schema-only', '--create', '--map', `${words}=empty words`];
    expectCode(await restore(other, 'three@latest', ...shape), 0);
    expect(await countedRows(other, 'empty words')).toEqual({ 'public.слова': 0, 'public.plain': 0 });
    expect(await other.sql('SELECT count(*) FROM large', large)).toBe('0');
    const workers = ['--database', nasty, '--map', `${nasty}=by four`, '--create', '--jobs', '4'];
    expectCode(await restore(other, 'three@latest', ...workers), 0);
    expect(await fingerprintOf(other, 'by four')).toBe(await fingerprintOf(server, nasty));
    const refused: [string[], RegExp][] = [
      [['three@latest', '--table', 'large'], /of which of the 3 databases/],
      [['plain@latest', '--table', 'слова'], /--table: not possible with a postgres dump of format plain/],
      [['three@latest', '--database', 'larg'], /no database larg[\s\S]*Did you mean "large"/],
      [['three@latest', '--map', 'nobody=x'], /--map nobody=x/],
      [['three@latest', '--map', `large=${words}`], /two databases of the bundle/],
    ];
    for (const [[what = '', ...flags], message] of refused) {
      expect(expectCode(await restore(other, what, ...flags), 2).stderr).toMatch(message);
    }
  });
});

test('a new database gets the encoding and collation of the old one, where the server has it', {
  timeout: 60_000,
}, async () => {
  const old = ['--encoding=SQL_ASCII', '--lc-collate=C', '--lc-ctype=C.UTF-8', '--template=template0', 'copy of old'];
  await server.program('createdb', old);
  // No text in any encoding: UTF-8 could not take it.
  await server.sql(`CREATE TABLE t AS SELECT E'\\xff'::text AS t`, 'copy of old');
  const all = JSON.parse(config(server));
  all.jobs.old = { source: 'main', destinations: 'disk', databases: 'copy of old' };
  await place.configure(JSON.stringify(all));
  expectCode(await place.run('run', 'old'), 0);
  const flags = ['--create', '--map', 'copy of old=copy of new'];
  expectCode(await restore(server, 'old@latest', ...flags), 0);
  const of = `SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = 'copy of new'`;
  expect(await server.sql(of)).toBe('SQL_ASCII|C|C.UTF-8');
  expect(await fingerprintOf(server, 'copy of new')).toBe(await fingerprintOf(server, 'copy of old'));
  const { path } = await latest('three');
  const content = await readFile(`${path}.meta.json`, 'utf8');
  await writeFile(`${path}.meta.json`, content.replaceAll('"C.UTF-8"', '"xx_XX"'));
  const elsewhere = await restore(server, path, '--create', '--database', large, '--map', `${large}=copy 3`);
  expect(expectCode(elsewhere, 0).stderr).toMatch(/not made as the old one was .*xx_XX/);
  await writeFile(`${path}.meta.json`, content);
  await place.configure(config(server));
});

test('the programs of every member go through a prefix', { timeout: 60_000 }, async () => {
  // It hides our environment, as docker exec and ssh do.
  const prefix = ['env', '-i', `PATH=${process.env['PATH']}`];
  const { host, port, user, password } = server;
  const all = JSON.parse(config(server));
  all.sources.behind = { type: 'postgres', host, port, user, password, prefix };
  all.jobs.behind = { source: 'behind', destinations: 'disk', databases: [words, large] };
  await place.configure(JSON.stringify(all));
  const bare = (...args: string[]) => place.start(args, { PGPASSWORD: undefined }).ended;
  expectCode(await bare('run', 'behind'), 0);
  const flags = ['--create', '--map', `${words}=copy 4`, '--map', `${large}=copy 5`, '--globals'];
  expectCode(await bare('restore', 'behind@latest', ...flags), 0);
  expect(await fingerprintOf(server, 'copy 4')).toBe(await fingerprintOf(server, words));
  expect(await fingerprintOf(server, 'copy 5')).toBe(await fingerprintOf(server, large));
  await place.configure(config(server));
});

test('check looks at every database of a bundle', { timeout: 60_000 }, async () => {
  const { stdout } = expectCode(await place.run('check', 'three'), 0);
  for (const name of three) expect(stdout).toContain(`/${name} as user postgres`);
  expect(stdout).not.toContain('/postgres as user');
  expect(expectCode(await place.run('check', 'missing'), 3).stdout).toMatch(/no database .* called larges/);
});

test('the dump of one database into a file', { timeout: 60_000 }, async () => {
  const { path, sidecar } = await latest('all');
  const member = sidecar.bundle?.members.find(({ name }) => name === nasty);
  const output = (file: string) => ['restore', path, '--database', nasty, '--output', file];
  expectCode(await place.run(...output('with.dump')), 0);
  const bare = place.path('bare.tar.zst.age');
  await copyFile(path, bare);
  expectCode(await place.run('restore', bare, '--database', nasty, '--output', 'without.dump'), 0);
  for (const file of ['with.dump', 'without.dump']) {
    expect(sha256(await readFile(place.path(file))), file).toBe(member?.sha256);
  }
  const unknown = await place.run('restore', path, '--database', 'larg', '--output', 'x.dump');
  expect(expectCode(unknown, 2).stderr).toMatch(/no database larg/);
  expect((await filesIn(place.folder))['x.dump']).toBeUndefined();
});

describe('what goes wrong', { timeout: 120_000 }, () => {
  test('one pg_dump dies in the middle: nothing is published', async () => {
    await mkdir(place.path('clients'));
    const programs = ['psql', 'pg_restore', 'pg_dumpall'];
    for (const each of programs) await symlink(join(server.programs, each), place.path('clients', each));
    const script = `#!/bin/sh\ncase "$*$PGDATABASE" in *${large}) ${server.programs}/pg_dump "$@" | head -c 9000000; kill -9 $$;; esac
exec ${server.programs}/pg_dump "$@"\n`;
    await writeFile(place.path('clients', 'pg_dump'), script);
    await chmod(place.path('clients', 'pg_dump'), 0o755);
    const before = await filesIn(place.path('backups'));
    const run = await place.run('run', 'broken');
    await expectNothingPublished(place, before, { run, exitCode: 3, errorCode: 'TOOL_FAILED' });
    expect(run.stderr).toMatch(/dump of the database large failed/);
  });

  test('Ctrl-C in the middle of a member leaves nothing behind', async () => {
    await mkdir(place.path('stalled'));
    for (const each of ['psql', 'pg_restore', 'pg_dumpall']) {
      await symlink(join(server.programs, each), place.path('stalled', each));
    }
    // The second member stalls half-way.
    const script = `#!/bin/sh\ncase "$*$PGDATABASE" in *${large}) ${server.programs}/pg_dump "$@" | head -c 9000000; echo stalled >&2; sleep 60;; esac
exec ${server.programs}/pg_dump "$@"\n`;
    await writeFile(place.path('stalled', 'pg_dump'), script, { mode: 0o755 });
    const all = JSON.parse(config(server));
    all.sources.broken.clientFolder = './stalled';
    await place.configure(JSON.stringify(all));
    const before = await filesIn(place.path('backups'));
    const { child, ended } = place.start(['run', 'broken']);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    while (!/dumping large/.test(said)) await delay(50);
    await delay(300);
    child.kill('SIGINT');
    const failure = { run: await ended, exitCode: 130, errorCode: 'INTERRUPTED', status: 'cancelled' };
    await expectNothingPublished(place, before, failure);
    await place.configure(config(server));
  });

  test('a database that is not there is an error, not a smaller backup', async () => {
    const before = await filesIn(place.path('backups'));
    const run = await place.run('run', 'missing');
    await expectNothingPublished(place, before, { run, exitCode: 3, errorCode: 'SOURCE_FAILED' });
    expect(run.stderr).toMatch(/no database on the server is called larges[\s\S]*Did you mean "large"/);
    expect(expectCode(await place.run('run', 'missing', '--dry-run'), 3).stderr).toMatch(/larges/);
  });

  test.each([
    'with its sidecar',
    'without',
  ])('a damaged member is found before any database is touched (%s)', async (how) => {
    const other = await emptyServer();
    const { path, sidecar } = await latest('three');
    const folder = place.path(`damaged ${how}`);
    await mkdir(folder);
    const copy = join(folder, basename(path));
    await copyFile(path, copy);
    if (how !== 'without') await copyFile(`${path}.meta.json`, `${copy}.meta.json`);
    const file = await open(copy, 'r+');
    // The last member is the one with the Cyrillic name; what it holds stands in the file as it is.
    const content = await readFile(copy);
    const at = content.lastIndexOf('один');
    expect(at).toBeGreaterThan(sidecar.artifact.rawBytes / 2);
    await file.write(Buffer.from('x'), 0, 1, at);
    await file.close();
    const run = await restore(other, copy, '--create');
    expect(expectCode(run, 5).stderr).toMatch(/target was not touched/);
    expect(await databasesOf(other)).toEqual(['postgres']);
    expect(await rolesOf(other)).not.toContain('keeper');
    expectCode(await place.run('verify', copy), 5);
    if (how === 'without') return;
    // Damage elsewhere does not keep anybody from a database that is whole.
    expectCode(await restore(other, copy, '--create', '--database', large), 0);
    expectCode(await restore(other, copy, '--create', '--database', words, '--no-owner'), 5);
    expect(await databasesOf(other)).toEqual([large, 'postgres']);
  });

  test('when one cannot be loaded, the others are whole, and it is said which', async () => {
    const other = await emptyServer();
    const run = await restore(other, 'three@latest', '--create', '--no-globals');
    expect(expectCode(run, 7).stderr).toMatch(/restored, два слова --help \.\.\/x not/);
    expect(await databasesOf(other)).toEqual([nasty, large, 'postgres'].sort());
    await expectSame(other, [large]);
    expect(processesOf(place)).toEqual([]);
    expect((await historyOf(place))[0]).toMatchObject({ status: 'failed', error: { code: 'PARTIAL' } });
  });

  test('without consent nothing is replaced; a dry run changes nothing', async () => {
    const other = await emptyServer();
    const dry = await restore(other, 'three@latest', '--create', '--dry-run');
    expect(expectCode(dry, 0).stdout).toMatch(/nothing was changed/);
    expect(await databasesOf(other)).toEqual(['postgres']);
    expect(expectCode(await restore(other, 'three@latest'), 3).stderr).toMatch(/does not exist/);
    await createdDatabase(other, large, 'CREATE TABLE own AS SELECT 42 AS answer', place.folder);
    const one = ['--database', large];
    expect(expectCode(await restore(other, 'three@latest', ...one), 3).stderr).toMatch(/already holds data/);
    expect(expectCode(await restore(other, 'three@latest', ...one, '--clean'), 2).stderr).toMatch(/--yes/);
    expect(await other.sql('SELECT answer FROM own', large)).toBe('42');
  });
});
