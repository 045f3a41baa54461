/**
 * Servers older and newer than the programs, which are Debian's. The servers come from npm (`test/servers/install.js`);
 * DBBACKUP_TEST_SKIP_MAJORS=1 leaves these tests out where they cannot be had.
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresType } from '../../src/source/postgres/postgres.ts';
import type { RestoreRequest, Source } from '../../src/source/source.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import {
  countedRows,
  createdDatabase,
  dumpToFile,
  fingerprintOf,
  requestFor,
  sourceContext,
} from '../servers/postgres-source.ts';

const [olderMajor, newerMajor] = [14, 18];

describe.skipIf(process.env['DBBACKUP_TEST_SKIP_MAJORS'] === '1')('PostgreSQL of other majors', () => {
  let older: PostgresServer;
  let newer: PostgresServer;
  let folder: string;
  let archive: string;
  let script: string;
  let logged: string[] = [];
  const context = () => ({ ...sourceContext(folder), log: (_level: string, line: string) => void logged.push(line) });
  const source = (server: PostgresServer, database: string, more: object = {}): Source =>
    postgresType.open({ url: server.url(database), ...more }, folder);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbb-majors-'));
    [older, newer] = await Promise.all([startPostgres({ major: olderMajor }), startPostgres({ major: newerMajor })]);
    await createdDatabase(older, 'nasty', nastySql(), folder);
    [archive, script] = [join(folder, 'nasty.dump'), join(folder, 'nasty.sql')];
    await dumpToFile(older, 'nasty', 'custom', archive, context());
    await dumpToFile(older, 'nasty', 'plain', script, context());
  });
  afterAll(async () => {
    await Promise.all([older?.stop(), newer?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function restored(server: PostgresServer, name: string, request: RestoreRequest, more: object = {}) {
    await createdDatabase(server, name, '', folder);
    logged = [];
    return source(server, name, more).restore(request, context());
  }

  test.each([
    ['custom', {}],
    ['plain', {}],
    ['custom', { jobs: 2 }],
  ])('an older server comes back identical (%s %j)', async (format, choice) => {
    const name = `same ${format} ${JSON.stringify(choice)}`;
    const outcome = await restored(older, name, requestFor(format, format === 'custom' ? archive : script, choice));
    expect(outcome.warnings).toEqual([]);
    expect(await fingerprintOf(older, name)).toBe(await fingerprintOf(older, 'nasty'));
  });

  test('F02 a newer server is not dumped, and the message names both versions and the way out', async () => {
    const failure = source(newer, 'postgres').inspect(context());
    await expect(failure).rejects.toMatchObject({
      code: 'TOOL_TOO_OLD',
      message: expect.stringMatching(new RegExp(`PostgreSQL ${newerMajor}\\.\\d+, the newest pg_dump here is \\d+\\.`)),
      hint: expect.stringContaining(`postgresql-client-${newerMajor}`),
    });
  });

  test.each([
    ['custom', {}],
    ['custom', { jobs: 2 }],
    ['plain', { create: true }],
  ])('a newer server takes what an older one gave, and the outcome tells of it (%s %j)', async (format, choice) => {
    const name = `moved ${format} ${JSON.stringify(choice)}`;
    const request = requestFor(format, format === 'custom' ? archive : script, choice);
    const outcome = await ('create' in choice
      ? source(newer, name).restore(request, context())
      : restored(newer, name, request));
    expect(outcome.warnings.join()).toContain(`postgresql-client-${newerMajor}`);
    expect(await countedRows(newer, name)).toEqual(await countedRows(older, 'nasty'));
    expect(await shapeOf(newer, name)).toEqual(await shapeOf(older, 'nasty'));
  });

  /** Debian's programs, which call themselves 17 and say what programs of 17 say to every server. */
  async function newerPrograms(): Promise<string> {
    const clients = join(folder, 'clients');
    await mkdir(clients, { recursive: true });
    const setting = 'SET transaction_timeout = 0;';
    const head = (name: string) => `#!/bin/sh
[ "$1" = --version ] && { echo '${name} (PostgreSQL) 17.4'; exit; }
real=${older.programs}/${name}`;
    const scripts = {
      psql: `${head('psql')}\nexec $real "$@"`,
      pg_dump: `${head('pg_dump')}
case " $* " in *--format=plain*) $real "$@" >${folder}/spooled || exit; exec sed '0,/^SET /s/^SET /${setting}\\n&/' ${folder}/spooled;; esac
exec $real "$@"`,
      pg_restore: `${head('pg_restore')}
case " $* " in *" --file=- "*) $real "$@" >${folder}/spooled || exit; exec sed '0,/^SET /s/^SET /${setting}\\n&/' ${folder}/spooled;; esac
echo 'pg_restore: error: could not execute query: unrecognized configuration parameter "transaction_timeout"' >&2; exit 1`,
    };
    for (const [name, content] of Object.entries(scripts)) {
      await writeFile(join(clients, name), `${content}\n`);
      await chmod(join(clients, name), 0o755);
    }
    return clients;
  }

  test('newer programs bring back what they dumped of an older server', async () => {
    const clientFolder = await newerPrograms();
    const expected = await fingerprintOf(older, 'nasty');
    const dumped = await source(older, 'nasty', { clientFolder }).dump(
      { format: { ...requestFor('plain', '').format }, backupType: 'full', filter: {} },
      context(),
    );
    const newScript = await text(dumped.stream);
    expect(newScript.match(/^SET transaction_timeout = 0;$/gm)).toHaveLength(1);
    const input = { kind: 'stream', stream: Readable.from([Buffer.from(newScript)]) } as const;
    await restored(older, 'from 17 plain', { ...requestFor('plain', ''), input }, { clientFolder });
    expect(await fingerprintOf(older, 'from 17 plain')).toBe(expected);

    for (const choice of [{}, { jobs: 2 }]) {
      const name = `from 17 ${JSON.stringify(choice)}`;
      await restored(older, name, requestFor('custom', archive, choice), { clientFolder });
      expect(await fingerprintOf(older, name)).toBe(expected);
      expect(logged.some((line) => line.startsWith('one worker instead of 2'))).toBe('jobs' in choice);
    }
  });

  test('an upstream that breaks commits nothing by way of a script either', async () => {
    const clientFolder = await newerPrograms();
    const bytes = readFileSync(archive);
    async function* broken() {
      yield bytes;
      throw new Error('upstream broke');
    }
    const input = { kind: 'stream', stream: Readable.from(broken()) } as const;
    const restoring = restored(older, 'cut', { ...requestFor('custom', ''), input }, { clientFolder });
    await expect(restoring).rejects.toThrow('upstream broke');
    expect(await fingerprintOf(older, 'cut')).not.toContain('CREATE');
  });

  test('an archive of newer programs is refused before anything is done, whether it comes as a file or a stream', async () => {
    const path = join(folder, 'archive-of-17.dump');
    const bytes = readFileSync(archive);
    bytes[6] = 16;
    await writeFile(path, bytes);
    await createdDatabase(older, 'untouched', '', folder);
    const inputs: RestoreRequest['input'][] = [
      { kind: 'file', path },
      { kind: 'stream', stream: Readable.from([bytes.subarray(0, 3), bytes.subarray(3)], { objectMode: false }) },
    ];
    for (const input of inputs) {
      const restoring = source(older, 'untouched').restore({ ...requestFor('custom', path), input }, context());
      await expect(restoring).rejects.toMatchObject({
        code: 'TOOL_TOO_OLD',
        message: expect.stringContaining('made by pg_dump 17 or newer'),
        hint: expect.stringContaining('postgresql-client-17'),
      });
    }
    expect(await fingerprintOf(older, 'untouched')).not.toContain('CREATE');
  });

  /** How many objects there are of each kind, and all rows as they are; servers of two majors name them alike. */
  async function shapeOf(server: PostgresServer, name: string): Promise<unknown> {
    const kinds = `SELECT json_object_agg(kind, n ORDER BY kind) FROM (
      SELECT 'relation ' || relkind::text, count(*) FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_|^information' GROUP BY 1
      UNION ALL SELECT 'constraint ' || contype::text, count(*) FROM pg_constraint WHERE connamespace::regnamespace::text !~ '^pg_|^information' AND contype <> 'n' GROUP BY 1
      UNION ALL SELECT 'function', count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'trigger', count(*) FROM pg_trigger UNION ALL SELECT 'policy', count(*) FROM pg_policy
      UNION ALL SELECT 'publication', count(*) FROM pg_publication_rel
    ) AS counted (kind, n)`;
    const rows = `SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM types t`;
    const objects = `SELECT md5(string_agg(md5(lo_get(oid)), ',' ORDER BY oid)) FROM pg_largeobject_metadata`;
    const sequence = `SELECT last_value FROM big_id_seq`;
    return Promise.all([kinds, rows, objects, sequence].map((query) => server.sql(query, name)));
  }
});
