/** The fault catalogue for SQLite: other programs that write, lock and crash; names, damage, and targets in use. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DumpFormat, Source } from '../../src/source/source.ts';
import { askWorker } from '../../src/source/sqlite/ask-worker.ts';
import { binaryFormat, sqlFormat } from '../../src/source/sqlite/format.ts';
import { sqliteType } from '../../src/source/sqlite/sqlite.ts';
import { type Connection, Database } from '../../src/sqlite-library.ts';
import { children, newChildren } from '../contract/source/children.ts';
import { dumpToFile, restoreFile, restoreOptions } from '../contract/source/dump-and-restore.ts';
import { withContext } from '../contract/source/test-context.ts';
import { fillNasty, fillNoise, fingerprintOf } from '../servers/sqlite-nasty.ts';

const run = promisify(execFile);
const writerScript = fileURLToPath(new URL('../servers/sqlite-writer.js', import.meta.url));
const formats = [binaryFormat, sqlFormat];
const modes = ['wal', 'delete'] as const;
const sideSuffixes = ['-wal', '-shm', '-journal'];

let folder: string;
const opened: Connection[] = [];
const path = (name: string) => join(folder, name);
const source = (name: string, busyTimeout = '300ms'): Source => open({ path: path(name), busyTimeout });
const open = (options: unknown): Source => sqliteType.open(sqliteType.options.parse(options), folder);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-sqlite-fault-'));
});
afterEach(async () => {
  for (const database of opened.splice(0)) database.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function connect(name: string): Connection {
  const database = new Database(path(name));
  opened.push(database);
  return database;
}

/** Dumps `from` and restores it to `to`. */
async function roundTrip(from: string, to: string, format: DumpFormat, clean = false): Promise<void> {
  await withContext(async (context) => {
    const dump = await dumpToFile(source(from), format, context);
    await restoreFile(source(to), format, dump.path, context, clean);
  });
}

async function dumpError(from: Source, format: DumpFormat): Promise<unknown> {
  return withContext((context) =>
    dumpToFile(from, format, context).then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
}

describe.each(modes)('while another process writes in %s mode', (mode) => {
  let writer: ChildProcess;
  let dots = 0;

  beforeEach(async () => {
    dots = 0;
    writer = spawn(process.execPath, [writerScript, path('live.db'), mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    writer.stdout?.on('data', (chunk: Buffer) => {
      dots += chunk.length;
    });
    await vi.waitUntil(() => dots > 2, { timeout: 20_000 });
  });
  afterEach(async () => {
    const gone = new Promise((resolve) => writer.once('exit', resolve));
    writer.kill('SIGKILL');
    await gone;
  });

  it.each(formats)('gives one snapshot: format $name', async (format) => {
    for (let round = 0; round < 3; round++) {
      const before = dots;
      await roundTrip('live.db', `copy-${round}.db`, format);
      assertSnapshot(`copy-${round}.db`, before * 10 - 9);
      // It went on writing, which is what makes this a test.
      await vi.waitUntil(() => dots > before, { timeout: 20_000 });
    }
  });
});

function assertSnapshot(name: string, atLeast: number): void {
  const copy = connect(name);
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
  const last = copy.prepare('SELECT max(seq) FROM log').pluck().get() as number;
  expect(last).toBeGreaterThanOrEqual(atLeast);
  expect(copy.prepare('SELECT count(*) FROM log').pluck().get()).toBe(last + 2001);
  expect(copy.prepare("SELECT count(*) FROM log WHERE what <> 'entry ' || seq").pluck().get()).toBe(0);
  const balances = Array.from({ length: 100 }, () => 1000);
  for (let seq = 0; seq <= last; seq++) {
    balances[seq % 100] = (balances[seq % 100] ?? 0) - seq;
    balances[(seq * 7 + 1) % 100] = (balances[(seq * 7 + 1) % 100] ?? 0) + seq;
  }
  expect(copy.prepare('SELECT balance FROM account ORDER BY id').pluck().all()).toEqual(balances);
}

describe.each(formats)('a source that cannot be dumped: format $name', (format) => {
  it.each(modes)('locked by someone else, %s mode: SOURCE_LOCKED after the timeout', async (mode) => {
    fillNoise(path('locked.db'), 1, mode);
    const holder = connect('locked.db');
    holder.pragma('locking_mode = EXCLUSIVE');
    holder.exec("BEGIN EXCLUSIVE; UPDATE noise SET bytes = x'00'");
    const started = Date.now();
    expect(await dumpError(source('locked.db', '500ms'), format)).toMatchObject({
      code: 'SOURCE_LOCKED',
      retryable: true,
      hint: expect.stringContaining('busyTimeout'),
    });
    expect(Date.now() - started).toBeGreaterThanOrEqual(500);
    holder.exec('ROLLBACK');
  });

  it('a missing file, which is not created', async () => {
    expect(await dumpError(source('missing.db'), format)).toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('does not exist'),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('a folder, an empty file, and something that is no database', async () => {
    await mkdir(path('folder'));
    await writeFile(path('empty'), '');
    await writeFile(path('text'), 'SQLite format 4\0'.repeat(1000));
    expect(await dumpError(source('folder'), format)).toMatchObject({ code: 'SOURCE_FAILED' });
    expect(await dumpError(source('empty'), format)).toMatchObject({ code: 'DUMP_EMPTY' });
    expect(await dumpError(source('text'), format)).toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('not a SQLite database'),
    });
  });

  it('damaged in the middle: nothing is offered', async () => {
    fillNasty(path('damaged.db'));
    const content = await readFile(path('damaged.db'));
    content.fill(0x5a, 8192, 8192 * 12);
    await writeFile(path('damaged.db'), content);
    const error = await dumpError(source('damaged.db'), format);
    expect(['DUMP_INCOMPLETE', 'SOURCE_FAILED']).toContain((error as { code: string }).code);
    expect((error as { hint: string }).hint).toMatch(/damaged/);
  });

  it('is never written to, and its folder neither', async () => {
    fillNasty(path('kept.db'));
    const before = [await readFile(path('kept.db')), (await stat(path('kept.db'))).mtimeMs];
    expect(await dumpError(source('kept.db'), format)).toBeUndefined();
    expect([await readFile(path('kept.db')), (await stat(path('kept.db'))).mtimeMs]).toEqual(before);
    expect(await readdir(folder)).toEqual(['kept.db']);
  });
});

describe('F33 names', () => {
  const names = [
    '--help',
    '-readonly',
    '$(rm -rf x)',
    'new\nline',
    'ends with a space ',
    'ends with a newline\n',
    `quo'te"s\``,
    '%41?mode=memory&cache=shared#x',
    'file:x.db',
    ':memory:',
    'слон 🐘.db',
    'back\\slash',
  ];

  const cases = names.flatMap((name) => formats.map((format) => ({ name, format, shown: JSON.stringify(name) })));

  it.each(cases)('$shown is kept as it is: format $format.name', async ({ name, format }) => {
    await mkdir(path('to'));
    await mkdir(path('from'));
    fillNasty(path('plain.db'));
    await copyFile(path('plain.db'), path(join('from', name)));
    await roundTrip(join('from', name), join('to', name), format);
    // A name that ends in white space takes another way into an existing file.
    if (/\s$/.test(name)) await roundTrip(join('from', name), join('to', name), format, true);
    await copyFile(path(join('to', name)), path('again.db'));
    expect(fingerprintOf(path('again.db'))).toEqual(fingerprintOf(path('plain.db')));
    expect([await readdir(path('from')), await readdir(path('to'))]).toEqual([[name], [name]]);
    expect((await readdir(folder)).sort()).toEqual(['again.db', 'from', 'plain.db', 'to']);
  });
});

describe('F41 restore over an existing database', () => {
  const cases = modes.flatMap((from) =>
    modes.flatMap((to) => formats.map((format) => ({ from, to, format, name: format.name }))),
  );

  // The nasty database has pages of 8 KiB, the old one pages of 4 KiB.
  it.each(cases)('$from over $to, format $name: the new rows, and nothing beside them', async ({
    from,
    to,
    format,
  }) => {
    fillNasty(path('new.db'), from);
    fillNoise(path('old.db'), 2, to);
    await roundTrip('new.db', 'old.db', format, true);
    expect(await sideFilesOf('old.db')).toEqual([]);
    expect(fingerprintOf(path('old.db'))).toEqual(fingerprintOf(path('new.db')));
  });

  it.each(formats)('over a large one with a small one and back: format $name', async (format) => {
    fillNasty(path('small.db'), 'wal');
    fillNoise(path('large.db'), 3, 'wal');
    await copyFile(path('small.db'), path('target.db'));
    await roundTrip('large.db', 'target.db', format, true);
    expect(fingerprintOf(path('target.db'))).toEqual(fingerprintOf(path('large.db')));
    await roundTrip('small.db', 'target.db', format, true);
    expect(fingerprintOf(path('target.db'))).toEqual(fingerprintOf(path('small.db')));
  });

  it.each(formats)('that a crash has left with a full -wal: format $name', async (format) => {
    fillNasty(path('new.db'));
    await crashedCopy('old.db', true);
    await roundTrip('new.db', 'old.db', format, true);
    expect(await sideFilesOf('old.db')).toEqual([]);
    expect(fingerprintOf(path('old.db'))).toEqual(fingerprintOf(path('new.db')));
  });

  it.each(formats)('of which only the -wal is left: format $name', async (format) => {
    fillNasty(path('new.db'));
    await crashedCopy('old.db', false);
    await withContext(async (context) => {
      const dump = await dumpToFile(source('new.db'), format, context);
      const target = source('old.db');
      expect(await target.examineTarget(restoreOptions(format, false), context)).toMatchObject({ hasData: true });
      await expect(restoreFile(target, format, dump.path, context)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      expect(await sideFilesOf('old.db')).toEqual(['-wal', '-shm']);
      await restoreFile(target, format, dump.path, context, true);
    });
    expect(await sideFilesOf('old.db')).toEqual([]);
    expect(fingerprintOf(path('old.db'))).toEqual(fingerprintOf(path('new.db')));
  });

  it.runIf(process.platform === 'linux').each(modes)(
    'is refused while an idle program has it open, %s',
    async (mode) => {
      fillNasty(path('new.db'));
      fillNoise(path('old.db'), 1, mode);
      const before = fingerprintOf(path('old.db'));
      connect('old.db').prepare('SELECT count(*) FROM noise').get();
      await withContext(async (context) => {
        const dump = await dumpToFile(source('new.db'), binaryFormat, context);
        const target = source('old.db');
        const inUse = { code: 'TARGET_IN_USE', message: expect.stringContaining(String(process.pid)) };
        await expect(target.examineTarget(restoreOptions(binaryFormat, true), context)).rejects.toMatchObject(inUse);
        await expect(restoreFile(target, binaryFormat, dump.path, context, true)).rejects.toMatchObject(inUse);
      });
      expect(fingerprintOf(path('old.db'))).toEqual(before);
    },
  );

  it.each([
    ['wal', 'SELECT count(*) FROM noise'],
    ['wal', 'BEGIN; SELECT count(*) FROM noise'],
    ['delete', 'BEGIN IMMEDIATE'],
    ['delete', 'BEGIN EXCLUSIVE'],
  ] as const)('is refused by the lock alone: %s, %s', async (mode, sql) => {
    fillNasty(path('new.db'));
    fillNoise(path('old.db'), 1, mode);
    const before = fingerprintOf(path('old.db'));
    const holder = connect('old.db');
    holder.exec(sql);
    const { signal } = new AbortController();
    const overwriting = askWorker(
      { task: 'overwrite', from: path('new.db'), to: path('old.db'), busyTimeoutMs: 100 },
      { signal },
    );
    await expect(overwriting).rejects.toMatchObject({ busy: true });
    holder.close();
    expect(fingerprintOf(path('old.db'))).toEqual(before);
  });

  it('F24 is old or new, never half, when it is killed at any moment', async () => {
    fillNasty(path('new.db'));
    fillNoise(path('large.db'), 24, 'delete');
    const [fresh, old] = [fingerprintOf(path('large.db')), fingerprintOf(path('new.db'))];
    const rounds = Number(process.env['DBBACKUP_TEST_KILLS'] ?? 4);
    for (let round = 0; round < rounds; round++) {
      await copyFile(path('new.db'), path('target.db'));
      const controller = new AbortController();
      const task = { task: 'overwrite', from: path('large.db'), to: path('target.db'), busyTimeoutMs: 100 } as const;
      const overwriting = askWorker(task, controller).catch(() => undefined);
      // How far it gets differs from round to round: only the journal, or already a part of the new pages.
      const grown = async () => (await stat(path('target.db'))).size >= (round * 1024 * 1024) / 2;
      const begun = async () => existsSync(path('target.db-journal')) || (round > 0 && grown());
      await vi.waitUntil(async () => (await begun()) && (await grown()), { timeout: 30_000, interval: 1 });
      controller.abort(new Error('killed by the test'));
      await overwriting;
      connect('target.db').exec('SELECT * FROM sqlite_schema');
      expect([fresh, old]).toContainEqual(fingerprintOf(path('target.db')));
    }
  });

  it('refuses to replace what is not a database, and what leads nowhere', async () => {
    await writeFile(path('letter.txt'), 'Dear Ada');
    await withContext(async (context) => {
      for (const name of ['letter.txt', '.', 'no-folder/x.db']) {
        await expect(source(name).examineTarget(restoreOptions(binaryFormat, true), context)).rejects.toMatchObject({
          code: 'TARGET_FAILED',
          hint: expect.any(String),
        });
      }
    });
    expect(await readFile(path('letter.txt'), 'utf8')).toBe('Dear Ada');
  });

  /** A database whose last rows are only in its -wal, as a killed program leaves it; or that -wal without its database. */
  async function crashedCopy(name: string, withDatabase: boolean): Promise<void> {
    const live = connect('live.db');
    live.pragma('journal_mode = WAL');
    live.exec("CREATE TABLE old(x); INSERT INTO old VALUES ('old row')");
    for (const suffix of withDatabase ? ['', '-wal', '-shm'] : ['-wal', '-shm']) {
      await copyFile(path(`live.db${suffix}`), path(`${name}${suffix}`));
    }
    expect((await stat(path(`${name}-wal`))).size).toBeGreaterThan(0);
  }

  async function sideFilesOf(name: string): Promise<readonly string[]> {
    return sideSuffixes.filter((suffix) => existsSync(path(`${name}${suffix}`)));
  }
});

describe('F40 a restore that fails', () => {
  const failures = [
    ['an SQL error', 'CREATE TABLE a(x);\nINSERT INTO nowhere VALUES (1);\nCOMMIT;\n', 'TOOL_FAILED'],
    ['a command of the shell', 'BEGIN;\n.shell touch reached\n.system touch reached\nCOMMIT;\n', 'TOOL_FAILED'],
    ['a function that writes files', "BEGIN;\nSELECT writefile('reached', 'x');\nCOMMIT;\n", 'TOOL_FAILED'],
    ['another database', "ATTACH 'reached' AS other;\nCREATE TABLE other.a(x);\nCOMMIT;\n", 'TOOL_FAILED'],
    ['no trailer', 'BEGIN;\nCREATE TABLE a(x);\n', 'DUMP_INCOMPLETE'],
  ] as const;
  const prefix = ['env', '-i', `PATH=${process.env['PATH']}`];
  it.each([
    ...failures.map(([what, sql, code]) => ({ what, sql, code, more: {} })),
    ...failures.map(([what, sql, code]) => ({
      what: `${what}, behind a prefix`,
      sql,
      code: code === 'TOOL_FAILED' ? 'TARGET_FAILED' : code,
      more: { prefix },
    })),
  ])('$what: the old data stay, nothing else appears', async ({ sql, code, more }) => {
    fillNasty(path('old.db'));
    const before = fingerprintOf(path('old.db'));
    await writeFile(path('dump.sql'), sql);
    await withContext(async (context) => {
      const [target, fresh] = ['old.db', 'new.db'].map((name) => open({ path: path(name), ...more })) as [
        Source,
        Source,
      ];
      await expect(restoreFile(target, sqlFormat, path('dump.sql'), context, true)).rejects.toMatchObject({ code });
      await expect(restoreFile(fresh, sqlFormat, path('dump.sql'), context)).rejects.toMatchObject({ code });
    });
    expect(fingerprintOf(path('old.db'))).toEqual(before);
    // The folder of a restore that we had killed ourselves goes a moment later.
    await vi.waitUntil(async () => (await readdir(folder)).length === 2, { timeout: 30_000, interval: 20 });
    expect((await readdir(folder)).sort()).toEqual(['dump.sql', 'old.db']);
    expect(existsSync('reached')).toBe(false);
  });

  it('of a damaged file: the target does not appear', async () => {
    fillNasty(path('good.db'));
    const content = await readFile(path('good.db'));
    content.fill(0x5a, 8192, 8192 * 12);
    await writeFile(path('bad.db'), content);
    await withContext(async (context) => {
      const restoring = restoreFile(source('new.db'), binaryFormat, path('bad.db'), context);
      await expect(restoring).rejects.toMatchObject({ code: expect.stringMatching(/DUMP_INCOMPLETE|TARGET_FAILED/) });
    });
    expect((await readdir(folder)).sort()).toEqual(['bad.db', 'good.db']);
  });

  it.skipIf(process.env['DBBACKUP_TEST_SKIP_ROOT'] === '1')('F26 on a full disk, dumping or restoring', async () => {
    fillNoise(path('large.db'), 6, 'delete');
    const small = await mountTmpfs(['size=3m']);
    try {
      await withContext(async (context) => {
        const cramped = { ...context, temporaryFolder: async () => small };
        await expect(dumpToFile(source('large.db'), binaryFormat, cramped)).rejects.toMatchObject({
          code: 'DISK_FULL',
          hint: expect.stringContaining('format: sql'),
        });
        for (const format of formats) {
          const dump = await dumpToFile(source('large.db'), format, context);
          await expect(restoreFile(open({ path: join(small, 'x.db') }), format, dump.path, context)).rejects.toThrow();
          expect(await readdir(small)).toEqual([]);
        }
      });
    } finally {
      await run('umount', [small]);
    }
  });

  it.skipIf(process.env['DBBACKUP_TEST_SKIP_ROOT'] === '1')(
    'a WAL database on a read-only disk is still dumped, as long as it has no -wal',
    async () => {
      const disk = await mountTmpfs([]);
      try {
        fillNasty(join(disk, 'wal.db'), 'wal');
        const before = fingerprintOf(join(disk, 'wal.db'));
        await rm(join(disk, 'wal.db-wal'), { force: true });
        await rm(join(disk, 'wal.db-shm'), { force: true });
        await run('mount', ['-o', 'remount,ro', disk]);
        await withContext(async (context) => {
          const dump = await dumpToFile(open({ path: join(disk, 'wal.db') }), binaryFormat, context);
          await restoreFile(source('copy.db'), binaryFormat, dump.path, context);
        });
        expect(fingerprintOf(path('copy.db'))).toEqual(before);
      } finally {
        await run('umount', [disk]);
      }
    },
  );

  async function mountTmpfs(options: readonly string[]): Promise<string> {
    const at = path('disk');
    await mkdir(at);
    await run('mount', ['-t', 'tmpfs', '-o', ['mode=700', ...options].join(','), 'none', at]).catch((cause) => {
      throw new Error('this test mounts a tmpfs and needs root; DBBACKUP_TEST_SKIP_ROOT=1 leaves it out', { cause });
    });
    return at;
  }
});

it('F38 keeps copies and new databases to their owner', async () => {
  fillNasty(path('shop.db'), 'wal');
  const { signal } = new AbortController();
  await askWorker({ task: 'copy', from: path('shop.db'), to: path('copy.db'), busyTimeoutMs: 100 }, { signal });
  for (const format of formats) await roundTrip('shop.db', `restored.${format.name}`, format);
  for (const name of ['copy.db', 'restored.sql', 'restored.sqlite']) {
    expect((await stat(path(name))).mode & 0o777, name).toBe(0o600);
  }
});

describe('the sqlite3 program', () => {
  /** A script on PATH that stands in for it; `$real` is the real one. */
  async function fakeSqlite3(script: string): Promise<void> {
    const { stdout } = await run('sh', ['-c', 'command -v sqlite3']);
    await mkdir(path('bin'));
    const head = `#!/bin/sh\nreal='${stdout.trim()}'\n[ "$1" = -version ] && { $real -version; exit; }\n`;
    await writeFile(path('bin/sqlite3'), `${head}${script}\n`);
    await chmod(path('bin/sqlite3'), 0o755);
    vi.stubEnv('PATH', `${path('bin')}:${process.env['PATH']}`);
  }

  beforeEach(() => fillNasty(path('shop.db')));

  it('F01 missing: named, with the package that has it', async () => {
    vi.stubEnv('PATH', folder);
    const missing = { code: 'TOOL_MISSING', hint: expect.stringContaining('apt-get install sqlite3') };
    expect(await dumpError(source('shop.db'), sqlFormat)).toMatchObject(missing);
    await withContext(async (context) => {
      const examining = source('new.db').examineTarget(restoreOptions(sqlFormat, false), context);
      await expect(examining).rejects.toMatchObject(missing);
    });
  });

  it('F02 too old: both versions are named', async () => {
    await mkdir(path('bin'));
    await writeFile(path('bin/sqlite3'), '#!/bin/sh\necho "3.27.2 2019-02-25 16:06:06 bd49"\n');
    await chmod(path('bin/sqlite3'), 0o755);
    vi.stubEnv('PATH', `${path('bin')}:${process.env['PATH']}`);
    expect(await dumpError(source('shop.db'), sqlFormat)).toMatchObject({
      code: 'TOOL_TOO_OLD',
      message: expect.stringMatching(/3\.27\.2.*3\.38/),
    });
  });

  it('F06 killed after it has written all but the end', async () => {
    await fakeSqlite3('$real "$@" | head -c -200; kill -9 $$');
    expect(await dumpError(source('shop.db'), sqlFormat)).toMatchObject({
      code: 'SOURCE_FAILED',
      cause: { message: expect.stringContaining('SIGKILL') },
    });
  });

  it('F07 exits 0 although the end is missing', async () => {
    await fakeSqlite3('$real "$@" | head -c -200');
    expect(await dumpError(source('shop.db'), sqlFormat)).toMatchObject({ code: 'DUMP_INCOMPLETE' });
  });

  it('F05 exits 0 and writes nothing', async () => {
    await fakeSqlite3('cat >/dev/null');
    expect(await dumpError(source('shop.db'), sqlFormat)).toMatchObject({ code: 'DUMP_EMPTY' });
  });

  it('F07 exits 0 and says at the end that it met errors', async () => {
    await fakeSqlite3('$real "$@" | sed "s/^COMMIT;$/ROLLBACK; -- due to errors/"');
    expect(await dumpError(source('shop.db'), sqlFormat)).toMatchObject({
      code: 'DUMP_INCOMPLETE',
      message: expect.stringContaining('met errors'),
    });
  });

  it.each(formats)('F06 F07 behind a prefix, too: format $name', async (format) => {
    const there = () => open({ path: path('shop.db'), prefix: ['env', '-i', `PATH=${process.env['PATH']}`] });
    for (const [script, code] of [
      ['$real "$@" | head -c -20', 'DUMP_INCOMPLETE'],
      ['$real "$@"; exit 3', 'SOURCE_FAILED'],
      ['$real "$@"; kill -9 $$', 'SOURCE_FAILED'],
    ] as const) {
      // The list of tables is asked for by a program of its own; this is about the one that dumps.
      await fakeSqlite3(`case $* in *-readonly*) [ ${format.name} = sql ] || exec $real "$@";; esac; ${script}`);
      expect(await dumpError(there(), format), script).toMatchObject({ code });
      await rm(path('bin'), { recursive: true });
      vi.unstubAllEnvs();
    }
  });

  it('does not know a command of ours', async () => {
    await fakeSqlite3('sed "s/^.dump .*/.no-such-command/" | $real "$@"');
    const error = await dumpError(source('shop.db'), sqlFormat);
    expect(error).toMatchObject({
      code: 'SOURCE_FAILED',
      cause: { message: expect.stringContaining('no-such-command') },
    });
  });

  it('F08 stalls: the idle timeout ends it', async () => {
    await fakeSqlite3('cat >/dev/null; sleep 600 & wait');
    await withContext(async (context) => {
      const before = children();
      const impatient = { ...context, idleTimeoutMs: 300 };
      await expect(dumpToFile(source('shop.db'), sqlFormat, impatient)).rejects.toMatchObject({ code: 'TIMEOUT' });
      expect(newChildren(before)).toEqual([]);
    });
  });

  it('is not changed by what the user keeps in ~/.sqliterc', async () => {
    await writeFile(path('.sqliterc'), '.mode json\n.headers on\nSELECT 1;\n');
    vi.stubEnv('HOME', folder);
    vi.stubEnv('XDG_CONFIG_HOME', folder);
    await roundTrip('shop.db', 'copy.db', sqlFormat);
    expect(fingerprintOf(path('copy.db'))).toEqual(fingerprintOf(path('shop.db')));
  });

  it.each([
    ['NUL in a text', "CAST(x'610062' AS TEXT)"],
    ['the smallest number', '5e-324'],
  ])('would lose %s: refused, and the other format keeps it', async (_what, value) => {
    const database = new Database(path('lossy.db'));
    database.exec(`CREATE TABLE "odd ""name"(fine, "my value"); INSERT INTO "odd ""name" VALUES (1, 2), (1, ${value})`);
    database.close();
    expect(await dumpError(source('lossy.db'), sqlFormat)).toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('odd "name'),
      hint: expect.stringContaining('format: sqlite'),
    });
    await roundTrip('lossy.db', 'copy.db', binaryFormat);
    expect(fingerprintOf(path('copy.db'))).toEqual(fingerprintOf(path('lossy.db')));
  });

  it('keeps UTF-16', async () => {
    const database = new Database(path('wide.db'));
    database.exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(x); INSERT INTO t VALUES ('слон 🐘')");
    database.close();
    await roundTrip('wide.db', 'copy.db', sqlFormat);
    expect(fingerprintOf(path('copy.db'))).toEqual(fingerprintOf(path('wide.db')));
  });

  it('makes a dump that it loads by itself, without us', async () => {
    await withContext(async (context) => {
      const dump = await dumpToFile(source('shop.db'), sqlFormat, context);
      const command = sqliteType.recovery(sqlFormat, ['shop.db']).command(`'${dump.path}'`);
      await run('sh', ['-c', command], { cwd: dirname(dump.path) });
      expect(fingerprintOf(join(context.folder, 'restored.sqlite'))).toEqual(fingerprintOf(path('shop.db')));
    });
  });
});
