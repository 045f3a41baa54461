/**
 * A program of its own, because better-sqlite3 blocks the thread it runs on: here it can be killed at any moment.
 * Reads a `WorkerTask` from stdin and writes `WorkerLine`s; what SQLite refuses is an answer, not a crash.
 */
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, readSync, symlinkSync } from 'node:fs';
import { type Connection, Database } from '../../sqlite-library.ts';
import { linkSuffix } from './database-files.ts';
import { type DatabaseHeader, headerBytes, parseHeader } from './database-header.ts';
import type {
  CheckAnswer,
  CheckTask,
  CopyTask,
  LookAnswer,
  LookTask,
  OverwriteTask,
  WorkerLine,
  WorkerTask,
} from './worker-task.ts';

/** About 4 MB between two looks at the clock. */
const pagesPerStep = 1000;
const progressEveryMs = 1000;

// SQLite makes files that all may read.
process.umask(0o077);

const task = JSON.parse(readFileSync(0, 'utf8')) as WorkerTask;
try {
  write({ answer: await perform(task) });
} catch (error) {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (code === undefined || message === undefined) throw error;
  write({ error: { code, message } });
}

function write(line: WorkerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function perform(wanted: WorkerTask) {
  if (wanted.task === 'look') return look(wanted);
  if (wanted.task === 'check') return check(wanted);
  await (wanted.task === 'copy' ? copy(wanted) : overwrite(wanted));
  return {};
}

function look({ path }: LookTask): LookAnswer {
  const sqliteVersion = new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get() as string;
  return { header: readHeader(path), sqliteVersion };
}

/** better-sqlite3 trims names, and a name may end in a space or a newline; SQLite itself follows links. */
function plainName(path: string, link: string): string {
  if (path.trim() === path) return path;
  symlinkSync(path, link);
  return link;
}

async function copy({ from, to, busyTimeoutMs }: CopyTask): Promise<void> {
  const name = plainName(from, `${to}${linkSuffix}`);
  const source = new Database(name, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    // Within a read transaction the backup sees one snapshot and is not started anew by foreign writers.
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get();
    await transfer(source, to);
  } catch (error) {
    if (!isOutOfReach(error) || existsSync(`${from}-wal`)) throw error;
    copyUnlocked(from, to);
  }
}

/** A WAL database in a folder that we may not write to cannot be opened, because its -shm cannot be made. */
function isOutOfReach(error: unknown): boolean {
  return error instanceof Database.SqliteError && /CANTOPEN|READONLY_(DIRECTORY|CANT)/.test(error.code);
}

/** Without a -wal nobody is writing to it; that is looked at again when the copy is done. */
function copyUnlocked(from: string, to: string): void {
  copyFileSync(from, to);
  if (existsSync(`${from}-wal`)) {
    throw new Database.SqliteError('someone wrote to the database while it was read without locks', 'SQLITE_BUSY');
  }
}

async function transfer(source: Connection, to: string): Promise<void> {
  let lastProgress = Date.now();
  const { totalPages } = await source.backup(to, {
    progress({ totalPages: total, remainingPages }) {
      if (Date.now() - lastProgress >= progressEveryMs) {
        lastProgress = Date.now();
        write({ progress: (total - remainingPages) / total });
      }
      return pagesPerStep;
    },
  });
  // better-sqlite3 takes a busy target, of which it knows no page yet, for a finished one.
  if (totalPages === 0) throw new Database.SqliteError('database is locked', 'SQLITE_BUSY');
}

function check({ path }: CheckTask): CheckAnswer {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  const problems = database.pragma('integrity_check(10)') as { integrity_check: string }[];
  const lines = problems.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  if (lines.length > 0) return { problems: lines, tables: {}, properties: {} };
  return { problems: [], tables: countRows(database), properties: readProperties(database, path) };
}

function countRows(database: Connection): Record<string, number | null> {
  const listed = database
    .prepare("SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND substr(name, 1, 7) <> 'sqlite_'")
    .all() as { name: string; type: string }[];
  const count = (name: string) =>
    database
      .prepare(`SELECT count(*) FROM main."${name.replaceAll('"', '""')}"`)
      .pluck()
      .get() as number;
  return Object.fromEntries(
    listed
      .filter(({ type }) => type === 'table' || type === 'virtual')
      .map(({ name, type }) => [name, type === 'table' ? count(name) : null]),
  );
}

function readProperties(database: Connection, path: string): Record<string, string | number> {
  const names = ['page_size', 'encoding', 'auto_vacuum', 'application_id', 'user_version'];
  const values = names.map((name) => [name, database.pragma(name, { simple: true }) as string | number]);
  return { ...Object.fromEntries(values), journal_mode: readHeader(path)?.journalMode ?? 'unknown' };
}

function readHeader(path: string): DatabaseHeader | undefined {
  const head = Buffer.alloc(headerBytes);
  const file = openSync(path, 'r');
  readSync(file, head);
  closeSync(file);
  return parseHeader(head);
}

/**
 * The target first leaves WAL mode: that is refused while any other connection is open, it removes `-wal` and `-shm`,
 * and it lets the page size change. The backup itself is one transaction of the target, undone by its journal.
 */
async function overwrite({ from, to, busyTimeoutMs }: OverwriteTask): Promise<void> {
  const target = plainName(to, `${from}${linkSuffix}`);
  const wasWal = takeAlone(target, busyTimeoutMs);
  try {
    await transfer(new Database(from, { readonly: true, fileMustExist: true }), target);
  } catch (error) {
    if (wasWal) new Database(target, { fileMustExist: true }).pragma('journal_mode = WAL');
    throw error;
  }
}

function takeAlone(name: string, timeout: number): boolean {
  const target = new Database(name, { fileMustExist: true, timeout });
  try {
    const wasWal = target.pragma('journal_mode', { simple: true }) === 'wal';
    if (wasWal) target.pragma('journal_mode = DELETE');
    target.exec('BEGIN EXCLUSIVE; ROLLBACK');
    return wasWal;
  } finally {
    target.close();
  }
}
