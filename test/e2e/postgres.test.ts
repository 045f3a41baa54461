/** PostgreSQL through the built program, against a private server: there and back, by every way in, and every refusal. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sidecar } from '../../src/sidecar/sidecar.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import { countedRows, createdDatabase, fingerprintOf } from '../servers/postgres-source.ts';
import { backupsOf, expectNothingPublished, filesIn, historyOf, processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

const formats = ['custom', 'plain'] as const;

const config = `
sources:
  nasty: { type: postgres, url: "\${NASTY_URL}" }
  parts: { type: postgres, url: "\${NASTY_URL}", database: "the parts" }
destinations:
  disk: { type: local, path: ./backups }
jobs:
  custom: { source: nasty, destinations: disk }
  plain: { source: nasty, destinations: disk, format: plain }
  schema: { source: parts, destinations: disk, backupType: schema }
  data: { source: parts, destinations: disk, backupType: data }
  some: { source: parts, destinations: disk, tables: { include: ["public.a*"], exclude: ["*.ab"] } }
  others: { source: parts, destinations: disk, schemas: { exclude: [public] } }
  nothing: { source: parts, destinations: disk, tables: { include: [nowhere] } }
`;

const partsSql = `CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE ab AS SELECT 2 AS i; CREATE TABLE c AS SELECT 3 AS i;
CREATE ROLE keeper; ALTER TABLE a OWNER TO keeper; GRANT SELECT ON c TO keeper; CREATE SCHEMA other; CREATE TABLE other.d (i int);`;

let server: PostgresServer;
let place: Workplace;
let made = 0;

beforeAll(async () => {
  server = await startPostgres();
  place = await makeWorkplace({ NASTY_URL: server.url('nasty'), PGPASSWORD: server.password });
  await place.configure(config);
  await createdDatabase(server, 'nasty', nastySql(), place.folder);
  await createdDatabase(server, 'the parts', partsSql, place.folder);
  expectCode(await place.run('run', 'custom', 'plain'), 0);
});
afterAll(async () => {
  await server?.stop();
  await place?.remove();
});

const fingerprint = (database: string) => fingerprintOf(server, database);
/** Without a password: that never belongs on a command line. */
const urlOf = (database: string) => `postgres://postgres@${server.host}:${server.port}/${encodeURIComponent(database)}`;

async function emptyDatabase(sql = ''): Promise<string> {
  made += 1;
  await createdDatabase(server, `target ${made}`, sql, place.folder);
  return `target ${made}`;
}

async function latest(job: string): Promise<{ key: string; path: string; sidecar: Sidecar }> {
  const { key } = (await backupsOf(place)).filter((each) => each.key.startsWith(`${job}/`)).at(-1) ?? { key: '' };
  const path = place.path('backups', key);
  return { key, path, sidecar: JSON.parse(await readFile(`${path}.meta.json`, 'utf8')) as Sidecar };
}

/** Everything that a person could have seen or kept. */
async function expectUnseen(secret: string, runs: readonly Run[]): Promise<void> {
  for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain(secret);
  for (const folder of ['backups', 'state']) {
    for (const name of Object.keys(await filesIn(place.path(folder)))) {
      expect((await readFile(place.path(folder, name))).includes(secret), name).toBe(false);
    }
  }
}

describe('a database with everything', { timeout: 120_000 }, () => {
  test.each([
    ['custom', []],
    ['plain', []],
    ['custom', ['--jobs', '4']],
  ])('run and restore: pg_dump of both is identical (%s %j)', async (job, flags) => {
    const target = await emptyDatabase();
    const run = await place.run('restore', `${job}@latest`, '--to', urlOf(target), ...flags);
    expect(expectCode(run, 0).stdout).toContain(target);
    expect(await fingerprint(target)).toBe(await fingerprint('nasty'));
    expect(processesOf(place)).toEqual([]);
  });

  test.each(formats)('restores without any config, moved, with and without its sidecar (%s)', async (format) => {
    const { path } = await latest(format);
    const bare = await makeWorkplace({ PGPASSFILE: place.path('pgpass') });
    await writeFile(place.path('pgpass'), `127.0.0.1:${server.port}:*:postgres:${server.password}\n`, { mode: 0o600 });
    try {
      await copyFile(path, bare.path(basename(path)));
      await copyFile(`${path}.meta.json`, bare.path(`${basename(path)}.meta.json`));
      const targets = [await emptyDatabase(), await emptyDatabase()] as const;
      expectCode(await bare.run('restore', basename(path), '--to', urlOf(targets[0])), 0);
      await rm(bare.path(`${basename(path)}.meta.json`));
      const run = await bare.run('restore', basename(path), '--to', urlOf(targets[1]));
      expect(expectCode(run, 0).stderr).toMatch(/no sidecar/);
      for (const target of targets) expect(await fingerprint(target)).toBe(await fingerprint('nasty'));
    } finally {
      await bare.remove();
    }
  });

  test.each(formats)('the sidecar says what it is, and its own lines bring it back (%s)', async (format) => {
    const { path, sidecar } = await latest(format);
    const version = (await server.sql('SHOW server_version')).split(' ')[0];
    expect(sidecar.source).toMatchObject({
      type: 'postgres',
      serverVersion: version,
      tool: `pg_dump ${sidecar.source.toolVersion}`,
      databases: ['nasty'],
    });
    expect(sidecar.contents).toEqual([
      {
        name: 'nasty',
        tables: await countedRows(server, 'nasty'),
        properties: { encoding: 'UTF8', collation: 'C.UTF-8', extensions: ['hstore', 'pg_trgm', 'plpgsql'] },
      },
    ]);
    const blank = await startPostgres();
    const folder = place.path(`recovery-${format}`);
    try {
      await mkdir(folder);
      await copyFile(path, join(folder, basename(path)));
      const [install, ...lines] = sidecar.recover.filter((line) => !line.startsWith('#'));
      expect(install).toMatch(/^apt-get install .*postgresql-client/);
      const { port, socketDir: PGHOST } = blank;
      const PATH = `${blank.programs}:${process.env['PATH']}`;
      const env = { PATH, PGHOST, PGPORT: String(port), PGUSER: 'postgres', HOME: folder };
      await promisify(execFile)('sh', ['-ec', lines.join('\n')], { cwd: folder, env });
      // pg_restore leaves owners and rights out, as the recipe says.
      const withoutRights = (of: PostgresServer) => of.program('pg_dump', ['-O', '-x'], 'nasty').then(unfenced);
      expect(await withoutRights(blank)).toBe(await withoutRights(server));
    } finally {
      await blank.stop();
    }
  });

  test('verify, show and download know the formats', async () => {
    expectCode(await place.run('verify', 'custom@latest'), 0);
    expectCode(await place.run('verify', 'plain@latest'), 0);
    expect(expectCode(await place.run('show', 'custom@latest'), 0).stdout).toContain('createdb');
    expectCode(await place.run('restore', 'plain@latest', '--output', 'plain.sql'), 0);
    expect(unfenced(await readFile(place.path('plain.sql'), 'utf8'))).toBe(await fingerprint('nasty'));
  });

  test('F38 the password is in no process list, output, history, sidecar or state', async () => {
    const seen = new Set<string>();
    let sampling = true;
    const sampler = (async () => {
      for (; sampling; await delay(5)) for (const line of await commandLines()) seen.add(line);
    })();
    const runs: Run[] = [];
    for (const format of formats) {
      const [target, occupied] = [await emptyDatabase(), await emptyDatabase('CREATE TABLE own (i int)')];
      runs.push(expectCode(await place.run('run', format, '--json', '--debug'), 0));
      runs.push(expectCode(await place.run('restore', `${format}@latest`, '--to', urlOf(target), '--debug'), 0));
      runs.push(expectCode(await place.run('restore', `${format}@latest`, '--to', urlOf(occupied), '--debug'), 3));
    }
    const typed = await place.run('restore', 'custom@latest', '--to', server.url(await emptyDatabase()));
    expect(expectCode(typed, 0).stderr).toMatch(/warning: a password in --to/);
    runs.push(typed);
    runs.push(await place.run('history', '--json'), await place.run('config', 'show'), await place.run('jobs'));
    sampling = false;
    await sampler;
    for (const program of ['pg_dump', 'pg_restore', 'psql']) {
      expect([...seen].filter((line) => new RegExp(`^\\S*/${program} `).test(line))).not.toEqual([]);
    }
    await expectUnseen(server.password, runs);
    expect([...seen].filter((line) => /^dbbackup restore .*:\*\*\*@/.test(line))).not.toEqual([]);
    expect([...seen].filter((line) => line.includes(server.password) && !isOwnStart(line))).toEqual([]);
  });
});

describe('what a job takes', { timeout: 120_000 }, () => {
  const tablesOf = async (job: string) => Object.keys((await latest(job)).sidecar.contents[0]?.tables ?? {}).sort();

  test('filters and backup types', async () => {
    expectCode(await place.run('run', 'schema', 'data', 'some', 'others'), 0);
    expect(await tablesOf('schema')).toEqual([]);
    expect(await tablesOf('data')).toEqual(['other.d', 'public.a', 'public.ab', 'public.c']);
    expect(await tablesOf('some')).toEqual(['public.a']);
    expect(await tablesOf('others')).toEqual(['other.d']);
    const { sidecar } = await latest('some');
    expect(sidecar).toMatchObject({ backupType: 'full', filter: { include: ['public.a*'], exclude: ['*.ab'] } });
    const target = await emptyDatabase();
    expectCode(await place.run('restore', 'schema@latest', '--to', urlOf(target)), 0);
    expect(await server.sql('SELECT count(*) FROM a', target)).toBe('0');
    expectCode(await place.run('restore', 'data@latest', '--to', urlOf(target), '--data-only'), 0);
    expect(await fingerprint(target)).toBe(await fingerprint('the parts'));
  });

  test('a pattern that matches nothing is an error, not an empty backup', async () => {
    const before = await filesIn(place.path('backups'));
    const run = await place.run('run', 'nothing');
    await expectNothingPublished(place, before, { run, exitCode: 3, errorCode: 'TOOL_FAILED' });
    expect(run.stderr).toContain('nowhere');
  });

  test('F33 databases of every name go there and back', { timeout: 180_000 }, async () => {
    const names = ['--help', '$(rm)', 'a\nb', `it's "so"`, '../x', 'größe 表'];
    const { host, port } = server;
    const odd = await makeWorkplace({ PGPASSWORD: server.password });
    try {
      const entries = <Value>(make: (name: string, index: number) => Value) =>
        Object.fromEntries(names.map((name, index) => [`n${index}`, make(name, index)]));
      await odd.configure(
        JSON.stringify({
          sources: entries((database) => ({ type: 'postgres', host, port, user: 'postgres', database })),
          destinations: { disk: { type: 'local', path: './backups' } },
          jobs: entries((_, index) => ({ source: `n${index}`, destinations: 'disk', format: formats[index % 2] })),
        }),
      );
      for (const name of names) await createdDatabase(server, name, 'CREATE TABLE t AS SELECT 1 AS one', odd.folder);
      expectCode(await odd.run('run', '--all'), 0);
      for (const [index, name] of names.entries()) {
        expectCode(await odd.run('restore', `n${index}@latest`, `--database=copy of ${name}`, '--create'), 0);
        expect(await server.sql('SELECT one FROM t', `copy of ${name}`)).toBe('1');
      }
    } finally {
      await odd.remove();
    }
  });
});

describe('what a restore may do', () => {
  const occupied = 'CREATE TABLE own AS SELECT 42 AS answer';
  const restore = (job: string, database: string, ...flags: string[]) =>
    place.run('restore', `${job}@latest`, '--to', urlOf(database), ...flags);

  test.each(formats)('a target that holds data needs --clean, and that needs consent (%s)', async (format) => {
    const target = await emptyDatabase(occupied);
    const before = await fingerprint(target);
    expect(expectCode(await restore(format, target), 3).stderr).toMatch(/already holds data[\s\S]*--clean/);
    expect(expectCode(await restore(format, target, '--clean'), 2).stderr).toMatch(/--yes/);
    expect(expectCode(await restore(format, target, '--clean', '--yes', '--dry-run'), 0).stdout).toMatch(/nothing was/);
    expect(await fingerprint(target)).toBe(before);
    expectCode(await restore(format, target, '--clean', '--yes'), 0);
    expect(await fingerprint(target)).toBe(await fingerprint('nasty'));
    expect(await server.sql(`SELECT count(*) FROM pg_database WHERE datname ~ '_(restore|before)_'`)).toBe('0');
  });

  test('--clean refuses a database on which replication hangs: it would be lost', async () => {
    const target = await emptyDatabase(occupied);
    await server.sql(`SELECT pg_create_logical_replication_slot('feed_slot', 'pgoutput')`, target);
    const before = await fingerprint(target);
    const run = await restore('custom', target, '--clean', '--yes');
    expect(expectCode(run, 3).stderr).toMatch(/in use by the replication slot feed_slot/);
    expect(await fingerprint(target)).toBe(before);
    await server.sql(`SELECT pg_drop_replication_slot('feed_slot')`, target);
  });

  test.each(formats)('--create makes the database that --database names (%s)', async (format) => {
    const name = `made for ${format}`;
    expect(expectCode(await restore(format, 'nasty', '--database', name), 3).stderr).toMatch(/--create/);
    expectCode(await restore(format, 'nasty', '--database', name, '--create'), 0);
    expect(await fingerprint(name)).toBe(await fingerprint('nasty'));
  });

  test('--table, --data-only, --schema-only', async () => {
    const target = await emptyDatabase();
    const run = await restore('custom', target, '--table', 'authors', '--table', 'big');
    expect(expectCode(run, 0).stderr).toMatch(/indexes/);
    expect(await countedRows(server, target)).toEqual({ 'public.authors': 2, 'public.big': 1 });
    expect(expectCode(await restore('custom', target, '--table', 'nowhere'), 3).stderr).toMatch(/no table nowhere/);
    expect(expectCode(await restore('custom', target, '--table', 'big'), 3).stderr).toMatch(/already holds/);
    const shape = await emptyDatabase();
    expectCode(await restore('custom', shape, '--schema-only'), 0);
    expect(await server.sql('SELECT count(*) FROM books', shape)).toBe('0');
  });

  test('--no-owner and --no-privileges', async () => {
    expectCode(await place.run('run', 'some'), 0);
    const [kept, left] = [await emptyDatabase(), await emptyDatabase()];
    const owner = `SELECT tableowner FROM pg_tables WHERE tablename = 'a'`;
    expectCode(await restore('some', kept), 0);
    expect(await server.sql(owner, kept)).toBe('keeper');
    expectCode(await restore('some', left, '--no-owner', '--no-privileges'), 0);
    expect(await server.sql(owner, left)).toBe('postgres');
  });

  test.each([
    ['plain', ['--table', 'books'], /--table/],
    ['plain', ['--jobs', '2'], /--jobs/],
    ['plain', ['--data-only'], /only be restored whole/],
    ['plain', ['--schema-only'], /only be restored whole/],
    ['plain', ['--no-owner'], /only be restored whole/],
    ['plain', ['--no-privileges'], /only be restored whole/],
    ['custom', ['--data-only', '--schema-only'], /leave nothing/],
    ['custom', ['--table', 'books', '--clean'], /does not go with --clean/],
    ['custom', ['--data-only', '--clean'], /does not go with --clean/],
    ['custom', ['--table', 'books', '--jobs', '2'], /does not go with --jobs/],
    ['custom', ['--jobs', '0'], /whole number/],
    ['custom', ['--to', './x.sqlite'], /sqlite cannot take it/],
    ['custom', ['--to', 'postgres://h:p:q/x'], /URL/],
  ])('refused with exit 2: %s %j', async (job, flags, message) => {
    expect(expectCode(await restore(job, 'untouched', ...flags), 2).stderr).toMatch(message);
  });

  test.each(
    formats,
  )('an SQL error stops at once, shows its line, and leaves the target as it was (%s)', async (format) => {
    const target = await emptyDatabase();
    const before = await fingerprint(target);
    await server.sql(`CREATE ROLE "limited ${format}" LOGIN PASSWORD '${server.password}'`);
    await server.sql(`GRANT CREATE ON DATABASE "${target}" TO "limited ${format}"`);
    const to = urlOf(target).replace('postgres@', `${encodeURIComponent(`limited ${format}`)}@`);
    const run = await place.run('restore', `${format}@latest`, '--to', to);
    const context = {
      custom: /ERROR: .*[\s\S]*Command was: \w+ /,
      plain: /:\d+: ERROR: .*[\s\S]*STATEMENT: +\w+ /,
    };
    expect(expectCode(run, 3).stderr).toMatch(context[format]);
    expect(await fingerprint(target)).toBe(before);
  });
});

describe('ways to the server', () => {
  /** The home of a user who has his own ways. */
  async function dumpFrom(source: string, env: NodeJS.ProcessEnv, prepare = async (_home: Workplace) => {}) {
    const home = await makeWorkplace(env);
    try {
      await prepare(home);
      await home.configure(
        `{ sources: { s: ${source} }, destinations: { d: { type: local, path: ./backups } }, jobs: { j: { source: s, destinations: d } } }`,
      );
      return { run: await home.run('run', 'j'), files: Object.keys(await filesIn(home.path('backups'))).length };
    } finally {
      await home.remove();
    }
  }
  const done = async (outcome: ReturnType<typeof dumpFrom>) => {
    const { run, files } = await outcome;
    expectCode(run, 0);
    expect(files).toBe(2);
  };

  test('the socket, by options, by URL, by PG* variables', async () => {
    const { socketDir, port } = server;
    await done(dumpFrom(`{ type: postgres, host: ${socketDir}, port: ${port}, user: postgres, database: nasty }`, {}));
    const url = `postgres://postgres@${encodeURIComponent(socketDir)}:${port}/nasty`;
    await done(dumpFrom(`{ type: postgres, url: "${url}" }`, {}));
    const env = { PGHOST: socketDir, PGPORT: String(port), PGUSER: 'postgres', PGDATABASE: 'nasty' };
    await done(dumpFrom('{ type: postgres }', env));
  });

  test('~/.pgpass and a service file', async () => {
    const { host, port, password } = server;
    const pgpass = (home: Workplace) =>
      writeFile(home.path('.pgpass'), `*:${port}:*:postgres:${password}\n`, { mode: 0o600 });
    await done(
      dumpFrom(`{ type: postgres, host: ${host}, port: ${port}, user: postgres, database: nasty }`, {}, pgpass),
    );
    const service = `[shop]\nhost=${host}\nport=${port}\nuser=postgres\ndbname=nasty\npassword=${password}\n`;
    await done(
      dumpFrom('{ type: postgres, service: shop }', {}, (home) =>
        writeFile(home.path('.pg_service.conf'), service, { mode: 0o600 }),
      ),
    );
  });

  test('F03 a wrong or missing password fails at once, without a prompt', async () => {
    const { host, port } = server;
    for (const password of ['', 'password: wrong-one, ']) {
      const started = performance.now();
      const source = `{ type: postgres, host: ${host}, port: ${port}, user: postgres, ${password}database: nasty }`;
      const { run, files } = await dumpFrom(source, {});
      expect(expectCode(run, 3).stderr).toMatch(/password[\s\S]*pg_hba/);
      expect(performance.now() - started).toBeLessThan(20_000);
      expect(files).toBe(0);
    }
  });

  test.each([
    ['F01 without a pg_dump', undefined, /pg_dump was not found[\s\S]*postgresql-client/],
    ['F02 with an older pg_dump', '#!/bin/sh\necho "pg_dump (PostgreSQL) 13.4"\n', /13\.4[\s\S]*postgresql-client-\d/],
  ])('%s the run says what to install', async (_, pgDump, message) => {
    const source = (folder: string) => `{ type: postgres, url: "${urlOf('nasty')}", clientFolder: ${folder} }`;
    const { run, files } = await dumpFrom(source('./clients'), { PGPASSWORD: server.password }, async (home) => {
      await mkdir(home.path('clients'));
      await symlink(join(server.programs, 'psql'), home.path('clients', 'psql'));
      if (pgDump === undefined) return;
      await writeFile(home.path('clients', 'pg_dump'), pgDump);
      await chmod(home.path('clients', 'pg_dump'), 0o755);
    });
    expect(expectCode(run, 3).stderr).toMatch(message);
    expect(files).toBe(0);
  });

  test('a server that is not there', async () => {
    const { run } = await dumpFrom('{ type: postgres, url: "postgres://u:p-secret@127.0.0.1:1/x" }', {});
    expect(expectCode(run, 3).stderr).toMatch(/refused[\s\S]*hint/);
    expect(run.stderr).not.toContain('p-secret');
  });
});

test('every failure above is in the history', async () => {
  const failed = (await historyOf(place)).filter((each) => each.status === 'failed');
  expect(failed.length).toBeGreaterThan(10);
  for (const each of failed) expect(each.error?.message).toBeTruthy();
});

function unfenced(script: string): string {
  return script.replace(/^\\(un)?restrict .*$/gm, '');
}

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' '));
}

/** What the user typed stands there until Node runs; then the program takes it away. */
function isOwnStart(line: string): boolean {
  return /bin\/dbbackup\.js restore /.test(line);
}
