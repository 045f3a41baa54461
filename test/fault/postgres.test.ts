import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redact } from '../../src/redact.ts';
import { ArchiveWalker } from '../../src/source/postgres/archive-walker.ts';
import { postgresType } from '../../src/source/postgres/postgres.ts';
import { spoolArchive } from '../../src/source/postgres/spool-archive.ts';
import type { Dump, Source, SourceContext } from '../../src/source/source.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import {
  createdDatabase,
  dumpToFile,
  fingerprintOf,
  formatNamed,
  requestFor,
  sourceContext,
  withoutKey,
} from '../servers/postgres-source.ts';

const cuts = Number(process.env['DBBACKUP_TEST_CUTS'] ?? 10);
const seed = Number(process.env['DBBACKUP_TEST_SEED'] ?? Date.now() % 100_000);

let server: PostgresServer;
let folder: string;
let archive: string;
let script: string;
const context = (more: Partial<SourceContext> = {}): SourceContext => ({ ...sourceContext(folder), ...more });

beforeAll(async () => {
  server = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'dbb-pg-fault-'));
  await createdDatabase(server, 'nasty', nastySql(), folder);
  await createdDatabase(server, 'large', largeSql, folder);
  [archive, script] = [join(folder, 'nasty.dump'), join(folder, 'nasty.sql')];
  await dumpToFile(server, 'nasty', 'custom', archive, context());
  await dumpToFile(server, 'nasty', 'plain', script, context());
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** 32 MB that do not fit into the pipes and buffers between pg_dump and a reader. */
const largeSql = `CREATE TABLE large AS SELECT i, repeat(md5(i::text), 100) AS filler FROM generate_series(1, 10000) i;`;

function source(database: string, more: object = {}): Source {
  return postgresType.open({ url: server.url(database), ...more }, folder);
}

function startDump(from: Source, more: Partial<SourceContext> = {}, format = 'custom'): Promise<Dump> {
  return from.dump({ format: formatNamed(format), backupType: 'full', filter: {} }, context(more));
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

/** The real programs, but pg_dump is a script of ours. */
async function clientsWith(name: string, pgDump: string): Promise<string> {
  const clients = join(folder, name);
  const real = `/usr/lib/postgresql/${server.major}/bin`;
  await mkdir(clients);
  for (const program of ['psql', 'pg_restore']) await symlink(join(real, program), join(clients, program));
  const head = `#!/bin/sh\nREAL=${real}/pg_dump\n[ "$1" = --version ] && VERSION=1\n`;
  await writeFile(join(clients, 'pg_dump'), `${head}${pgDump}\n`);
  await chmod(join(clients, 'pg_dump'), 0o755);
  return clients;
}

const honest = '[ -n "$VERSION" ] && exec $REAL --version\n';

const fingerprint = (database: string) => fingerprintOf(server, database);

/** Until no session but the asking one is left in the database. */
async function quiet(database: string): Promise<void> {
  const sessions = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}'`;
  for (const deadline = Date.now() + 20_000; (await server.sql(sessions)) !== '0'; await delay(50)) {
    if (Date.now() > deadline) throw new Error(`a session stays in ${database}`);
  }
}

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' '));
}

describe('PostgreSQL source', () => {
  test('F01 without pg_dump the error names it and its package', async () => {
    const clients = join(folder, 'no-clients');
    await mkdir(clients);
    await expect(source('nasty', { clientFolder: clients }).inspect(context())).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('pg_dump'),
      hint: expect.stringContaining('postgresql-client'),
    });
  });

  test('F02 a pg_dump older than the server is refused with both versions', async () => {
    const clients = await clientsWith('old', 'echo "pg_dump (PostgreSQL) 13.4"');
    const failure = source('nasty', { clientFolder: clients }).inspect(context());
    await expect(failure).rejects.toMatchObject({
      code: 'TOOL_TOO_OLD',
      hint: expect.stringContaining(`client-${server.major}`),
    });
    await expect(failure).rejects.toThrow(/13\.4/);
    await expect(failure).rejects.toThrow(new RegExp(`${server.major}\\.\\d+`));
  });

  test('F03 a wrong or missing password fails at once', async () => {
    const started = performance.now();
    for (const password of ['wrong-password', undefined]) {
      const options = { host: server.host, port: server.port, user: 'postgres', database: 'nasty', password };
      const failure = postgresType.open(options, folder).inspect(context());
      await expect(failure).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test.each(['custom', 'plain'])('F04 a connection lost in mid-dump (%s)', async (format) => {
    const dump = await startDump(source('large'), {}, format);
    await new Promise((resolve) => dump.stream.once('readable', resolve));
    const ended = await server.sql(
      `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pg_dump'`,
    );
    expect(ended).toBe('1');
    await expect(failureOf(Promise.resolve(dump))).resolves.toMatchObject({ exitCode: 3 });
  });

  test('F05 no bytes and exit 0 is an empty dump', async () => {
    const clients = await clientsWith('empty', `${honest}exit 0`);
    for (const format of ['custom', 'plain']) {
      const failure = failureOf(startDump(source('nasty', { clientFolder: clients }), {}, format));
      await expect(failure).resolves.toMatchObject({ code: 'DUMP_EMPTY' });
    }
  });

  test('F06 a killed pg_dump', async () => {
    const clients = await clientsWith('killed', `${honest}$REAL "$@" | head -c 9000000; kill -9 $$`);
    await expect(failureOf(startDump(source('large', { clientFolder: clients })))).resolves.toMatchObject({
      code: 'TOOL_FAILED',
    });
  });

  test('F07 a cut dump with exit 0 is incomplete', async () => {
    const clients = await clientsWith('cut', `${honest}$REAL "$@" | head -c 300000; exit 0`);
    for (const format of ['custom', 'plain']) {
      const failure = failureOf(startDump(source('large', { clientFolder: clients }), {}, format));
      await expect(failure).resolves.toMatchObject({ code: 'DUMP_INCOMPLETE' });
    }
  });

  test('F07 a whole dump whose pg_dump then fails', async () => {
    const clients = await clientsWith('late', `${honest}$REAL "$@"; exit 1`);
    for (const format of ['custom', 'plain']) {
      const failure = failureOf(startDump(source('nasty', { clientFolder: clients }), {}, format));
      await expect(failure).resolves.toMatchObject({ code: 'TOOL_FAILED' });
    }
  });

  test('F08 a silent pg_dump is stopped, with its children', async () => {
    const clients = await clientsWith('stalled', `${honest}sleep 987654 & sleep 987654`);
    const failure = failureOf(startDump(source('nasty', { clientFolder: clients }), { idleTimeoutMs: 1500 }));
    await expect(failure).resolves.toMatchObject({ code: 'TIMEOUT' });
    expect((await commandLines()).filter((line) => line.includes('sleep 987654'))).toEqual([]);
  });

  test('F12 a flood on stderr does not stop a dump', async () => {
    const clients = await clientsWith(
      'chatty',
      `${honest}head -c 100000000 /dev/zero | tr '\\0' 'x' >&2; exec $REAL "$@"`,
    );
    const before = process.memoryUsage().rss;
    const dump = await startDump(source('nasty', { clientFolder: clients }));
    let bytes = 0;
    for await (const chunk of dump.stream) bytes += chunk.length;
    expect(bytes).toBe((await stat(archive)).size);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  test('F13 a reader that does not read holds pg_dump back', async () => {
    const dump = await startDump(source('large'));
    await new Promise((resolve) => dump.stream.once('readable', resolve));
    const waiting = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event = 'ClientWrite'`;
    for (const deadline = Date.now() + 20_000; (await server.sql(waiting)) !== '1'; await delay(50)) {
      expect(Date.now()).toBeLessThan(deadline);
    }
    expect(dump.stream.readableLength).toBeLessThan(4_000_000);
    dump.stream.destroy();
    await quiet('large');
  });

  test('F23 an abort stops pg_dump', async () => {
    const abort = new AbortController();
    const dump = await startDump(source('large'), { signal: abort.signal });
    await new Promise((resolve) => dump.stream.once('readable', resolve));
    abort.abort(new Error('cancelled by the user'));
    await expect(failureOf(Promise.resolve(dump))).resolves.toMatchObject({ message: 'cancelled by the user' });
    await quiet('large');
  });

  test.each([
    '--help',
    '$(rm)',
    'a\nb',
    `it's "so"`,
    '../x',
    'a=b c',
    'host=nowhere',
    'größe 表',
    'postgres://x/y',
    '\\',
  ])('F33 the database %j round-trips', async (name) => {
    await createdDatabase(server, name, 'CREATE TABLE t AS SELECT 1 AS one', folder);
    const path = join(folder, 'odd.dump');
    const restored = `restored ${name}`;
    for (const format of ['custom', 'plain']) {
      const contents = await dumpToFile(server, name, format, path, context());
      expect(contents).toMatchObject([{ name, tables: { 'public.t': 1 } }]);
      const request = requestFor(format, path, { database: restored, create: true });
      await source('postgres').restore(request, context());
      expect(await server.sql('SELECT one FROM t', restored)).toBe('1');
      await server.program('dropdb', ['--', restored]);
    }
    await server.program('dropdb', ['--', name]);
  });

  test('F38 no password in the process list or in what is told', async () => {
    const seen = new Set<string>();
    let sampling = true;
    const sampler = (async () => {
      for (; sampling; await delay(5)) for (const line of await commandLines()) seen.add(line);
    })();
    const path = join(folder, 'watched.dump');
    await server.sql('CREATE DATABASE watched TEMPLATE template0');
    const told = [await source('large').inspect(context()), source('large').identity];
    const contents = await dumpToFile(server, 'large', 'custom', path, context());
    await source('watched').restore(requestFor('custom', path), context());
    const missing = await source('missing')
      .inspect(context())
      .catch((error: Error) => error.message);
    sampling = false;
    await sampler;
    const lines = [...seen];
    expect(lines.some((line) => line.includes('pg_dump'))).toBe(true);
    expect(lines.some((line) => line.includes('pg_restore'))).toBe(true);
    expect(lines.filter((line) => line.includes(server.password))).toEqual([]);
    expect(JSON.stringify([told, contents, missing])).not.toContain(server.password);
    expect(redact(server.password)).toBe('***');
  });
});

describe('PostgreSQL target', () => {
  /** A target with data of its own beside the objects of the backup. */
  async function target(name: string): Promise<string> {
    await createdDatabase(server, name, 'CREATE SCHEMA own; CREATE TABLE own.kept AS SELECT 42 AS answer', folder);
    return await fingerprint(name);
  }

  test('F40 a target with data needs consent, an absent one --create', async () => {
    const before = await target('occupied');
    for (const format of ['custom', 'plain']) {
      const request = requestFor(format, format === 'custom' ? archive : script);
      await expect(source('occupied').restore(request, context())).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      await expect(source('absent').restore(request, context())).rejects.toMatchObject({
        code: 'TARGET_FAILED',
        hint: expect.stringContaining('--create'),
      });
    }
    expect(await source('occupied').examineTarget(requestFor('custom', archive), context())).toMatchObject({
      hasData: true,
    });
    expect(await fingerprint('occupied')).toBe(before);
  });

  test('a way to the target that was opened early is nobody who uses it, may be cut off, and leaves nothing behind', async () => {
    await target('approached');
    const from = source('approached');
    const request = requestFor('custom', archive, { clean: true });
    const ours = `FROM pg_stat_activity WHERE application_name LIKE 'dbbackup %'`;
    const untilOurs = async (count: string) => {
      for (; (await server.sql(`SELECT count(*) ${ours}`)) !== count; await delay(20));
    };
    const approach = from.approach?.(request, context());
    await untilOurs('2');
    expect(await from.examineTarget(request, context())).toMatchObject({ hasData: true });
    await server.sql(`SELECT pg_terminate_backend(pid) ${ours}`);
    await untilOurs('0');
    expect(await from.examineTarget(request, context())).toMatchObject({ hasData: true });
    await approach?.close();
    const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
    expect(children.split(' ').filter((pid) => pid !== '' && Number(pid) !== server.pid)).toEqual([]);
  });

  test('who cancels a restore is not kept by a server that has stopped to answer', async () => {
    await target('stopped');
    const from = source('stopped');
    const request = requestFor('custom', archive, { clean: true });
    const ours = `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'dbbackup %'`;
    const approach = from.approach?.(request, context());
    await from.examineTarget(request, context());
    const backends = (await server.sql(ours)).split('\n').map(Number);
    expect(backends).toHaveLength(2);
    const cancelling = new AbortController();
    try {
      for (const pid of backends) process.kill(pid, 'SIGSTOP');
      const examined = from.examineTarget(request, context({ signal: cancelling.signal }));
      await delay(100);
      cancelling.abort(new Error('cancelled'));
      await expect(examined).rejects.toThrow('cancelled');
      await approach?.close();
    } finally {
      for (const pid of backends) process.kill(pid, 'SIGCONT');
    }
  });

  test('a role that may create databases, have one connection and no more, replaces a database of its own', async () => {
    await server.sql("CREATE ROLE modest LOGIN CREATEDB CONNECTION LIMIT 1 PASSWORD 'Pw-modest'");
    await target('modest');
    await server.sql('ALTER DATABASE modest OWNER TO modest; ALTER SCHEMA own OWNER TO modest', 'modest');
    await createdDatabase(server, 'few', 'CREATE TABLE t AS SELECT 7 AS seven', folder);
    const path = join(folder, 'few.dump');
    await dumpToFile(server, 'few', 'custom', path, context());
    const url = server.url('modest').replace(/\/\/.*@/, '//modest:Pw-modest@');
    const from = postgresType.open({ url }, folder);
    const request = requestFor('custom', path, { clean: true, noOwner: true, noPrivileges: true });
    const approach = from.approach?.(request, context());
    await from.restore(request, context());
    await approach?.close();
    expect(await server.sql('SELECT seven FROM t', 'modest')).toBe('7');
  });

  test('a server that does not answer keeps nobody who no longer needs it', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const from = postgresType.open({ url: `postgres://someone@127.0.0.1:${port}/x` }, folder);
    const approach = from.approach?.(requestFor('custom', archive), context());
    await once(silent, 'connection');
    // Without an end of its own: psql would wait for 30 s.
    await approach?.close();
    silent.close();
  });

  test('who is cancelled while another question waits for such a server is not kept either', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const from = postgresType.open({ url: `postgres://someone@127.0.0.1:${port}/x` }, folder);
    const approach = from.approach?.(requestFor('custom', archive), context());
    await once(silent, 'connection');
    const cancelling = new AbortController();
    const request = requestFor('custom', archive);
    const examined = from.examineTarget(request, context({ signal: cancelling.signal }));
    setTimeout(() => cancelling.abort(new Error('cancelled')), 100);
    const started = Date.now();
    await expect(examined).rejects.toThrow('cancelled');
    expect(Date.now() - started).toBeLessThan(10_000);
    await approach?.close();
    silent.close();
  });

  test('the file that several workers read tells where every block begins, and holds what pg_dump would have written', async () => {
    const [spooled, direct] = [join(folder, 'spooled.dump'), join(folder, 'direct.dump')];
    await spoolArchive(createReadStream(archive), spooled, context().signal);
    await server.program('pg_dump', ['-Fc', '-Z0', '-f', direct], 'nasty');
    const bytes = await readFile(spooled);
    const walker = new ArchiveWalker();
    walker.push(bytes);
    expect(walker.pointers().length).toBeGreaterThan(10);
    for (const { at, bytes: place } of walker.pointers()) {
      expect(bytes.subarray(at, at + place.length).equals(place)).toBe(true);
    }
    // From a file it goes to where the table of contents says, and fails where no such block begins.
    const scriptOf = async (path: string) => withoutKey(await server.program('pg_restore', ['-f-', path]));
    expect(await scriptOf(spooled)).toBe(await scriptOf(direct));
  });

  test('F40 a target in use is not replaced', async () => {
    const before = await target('busy');
    const session = server.program('psql', ['-X', '-c', 'SELECT pg_sleep(300)'], 'busy').catch(() => 'ended');
    const waiting = `SELECT count(*) FROM pg_stat_activity WHERE datname = 'busy'`;
    for (; (await server.sql(waiting)) !== '1'; await delay(20));
    const request = requestFor('custom', archive, { clean: true });
    await expect(source('busy').examineTarget(request, context())).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
    await server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'busy'`);
    await session;
    expect(await fingerprint('busy')).toBe(before);
  });

  test.each([
    ['custom', {}],
    ['plain', {}],
    ['custom', { clean: true }],
    ['plain', { clean: true }],
    ['custom', { jobs: 4 }],
  ])('F40 an SQL error leaves the target as it was (%s %j)', async (format, choice) => {
    const name = `failing_${Math.random().toString(36).slice(2)}`;
    const path = join(folder, `${name}.dump`);
    await createdDatabase(
      server,
      `${name}_source`,
      'CREATE TABLE a (i int); INSERT INTO a VALUES (1); CREATE TABLE b (i int)',
      folder,
    );
    await dumpToFile(server, `${name}_source`, format, path, context());
    // In mid-data: the archive says 1, the damaged row says x.
    const bytes = await readFile(path);
    const row = bytes.lastIndexOf('1\n', bytes.indexOf('\\.\n'));
    bytes.write('x', row);
    await writeFile(path, bytes);
    if ('clean' in choice) await target(name);
    else await createdDatabase(server, name, '', folder);
    const before = await fingerprint(name);
    const failure = source(name).restore(requestFor(format, path, choice), context());
    await expect(failure).rejects.toThrow(/invalid input syntax for type integer: "x"[\s\S]*CONTEXT: +COPY a, line 1/);
    await quiet(name);
    expect(await fingerprint(name)).toBe(before);
    expect(await server.sql(`SELECT count(*) FROM pg_database WHERE datname LIKE '${name}\\__restore%'`)).toBe('0');
  });

  test.each([
    'custom',
    'plain',
  ])(`F40 an upstream that breaks at ${cuts} random places, seed ${seed} (%s)`, async (format) => {
    const name = `cut_${format}`;
    await createdDatabase(server, name, '', folder);
    const before = await fingerprint(name);
    const path = format === 'custom' ? archive : script;
    const { size } = await stat(path);
    const random = randomFrom(seed);
    for (const at of [0, size - 1, ...Array.from({ length: cuts }, () => Math.floor(random() * size))]) {
      const request = requestFor(format, path, { input: { kind: 'stream', stream: broken(path, at) } });
      await expect(source(name).restore(request, context()), `cut at ${at}`).rejects.toThrow('upstream broke');
    }
    await quiet(name);
    expect(await fingerprint(name)).toBe(before);
  });

  test.each([
    ['custom', {}],
    ['plain', {}],
    ['custom', { schemaOnly: true }],
    ['custom', { tables: ['books'] }],
    ['custom', { noOwner: true, noPrivileges: true }],
    ['custom', { create: true }],
    ['custom', { jobs: 4 }],
    ['plain', { clean: true }],
  ])('F42 a mismatch found after the last byte is found before the commit (%s %j)', async (format, choice) => {
    const name = `late_${Math.random().toString(36).slice(2)}`;
    const path = format === 'custom' ? archive : script;
    if (!('create' in choice))
      await createdDatabase(server, name, 'clean' in choice ? 'CREATE TABLE own AS SELECT 1' : '', folder);
    const before = 'create' in choice ? '' : await fingerprint(name);
    const request = requestFor(format, path, {
      ...choice,
      input: { kind: 'stream', stream: broken(path, Number.POSITIVE_INFINITY, longEnoughToCommit) },
    });
    await expect(source(name).restore(request, context())).rejects.toThrow('upstream broke');
    await quiet(name);
    expect(await server.sql(`SELECT count(*) FROM pg_database WHERE datname LIKE '${name}_restore%'`)).toBe('0');
    if ('create' in choice)
      expect(await server.sql(`SELECT count(*) FROM pg_database WHERE datname = '${name}'`)).toBe('0');
    else expect(await fingerprint(name)).toBe(before);
  });

  test('F42 a schema-only archive commits nothing before its last byte is verified', async () => {
    const path = join(folder, 'schema.dump');
    await writeFile(path, await schemaArchive());
    await createdDatabase(server, 'late_schema', '', folder);
    const before = await fingerprint('late_schema');
    const request = requestFor('custom', path, {
      input: { kind: 'stream', stream: broken(path, Number.POSITIVE_INFINITY, longEnoughToCommit) },
    });
    await expect(source('late_schema').restore(request, context())).rejects.toThrow('upstream broke');
    await quiet('late_schema');
    expect(await fingerprint('late_schema')).toBe(before);
    await source('late_schema').restore(requestFor('custom', path), context());
    expect(await fingerprint('late_schema')).not.toBe(before);
  });

  test('a script that leaves the transaction is refused before psql sees it', async () => {
    await createdDatabase(server, 'led_away', '', folder);
    const before = await fingerprint('led_away');
    const path = join(folder, 'connect.sql');
    await writeFile(
      path,
      (await readFile(script, 'utf8')).replace(/^SET statement_timeout/m, '\\connect postgres\nSET statement_timeout'),
    );
    await expect(source('led_away').restore(requestFor('plain', path), context())).rejects.toThrow(
      /\\connect postgres/,
    );
    await quiet('led_away');
    expect(await fingerprint('led_away')).toBe(before);
  });

  test('restores one table, data alone, the schema alone; refuses what cannot be', async () => {
    await createdDatabase(server, 'parts', '', folder);
    await source('parts').restore(requestFor('custom', archive, { tables: ['authors'] }), context());
    expect(await server.sql('SELECT count(*) FROM authors', 'parts')).toBe('2');
    const missing = source('parts').restore(requestFor('custom', archive, { tables: ['nowhere'] }), context());
    await expect(missing).rejects.toThrow(/holds no table nowhere/);
    await createdDatabase(server, 'shape', '', folder);
    await source('shape').restore(requestFor('custom', archive, { schemaOnly: true }), context());
    expect(await server.sql('SELECT count(*) FROM books', 'shape')).toBe('0');
    for (const choice of [
      { tables: ['a'] },
      { dataOnly: true },
      { schemaOnly: true },
      { noOwner: true },
      { jobs: 2 },
    ]) {
      const failure = source('parts').examineTarget(requestFor('plain', script, choice), context());
      await expect(failure).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    }
  });

  async function schemaArchive(): Promise<Buffer> {
    const request = { format: formatNamed('custom'), backupType: 'schema', filter: {} } as const;
    const dump = await source('nasty').dump(request, context());
    return Buffer.concat(await dump.stream.toArray());
  }
});

/** Ms; the whole restore takes less than half of it. */
const longEnoughToCommit = 2000;

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

/** mulberry32 */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
