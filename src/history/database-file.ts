/**
 * The file under the history: made private, migrated, and moved aside when it is damaged.
 * Guarantees: opening, migrating and moving aside happen under one exclusive lock between processes, and without a
 * pause inside one; a stale `-wal` never meets a new file (its old rows would show, and integrity_check would say ok).
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { messageOf } from '../errors.ts';
import { builtFile } from '../installation.ts';
import { type Connection, Database } from '../sqlite-library.ts';
import { historyFile } from '../state-folder.ts';

const busyTimeoutMs = 5000;
const companions = ['-wal', '-shm'];

export interface OpenDatabase {
  readonly path: string;
  /** Tells our file from another that took its name. */
  readonly identity: string;
  readonly connection: Connection;
  readonly tables: BetterSQLite3Database;
  readonly warnings: readonly string[];
}

/** Opens the history of a state folder; a damaged one is moved aside and a new one made. Throws SQLite's errors. */
export function openDatabase(state: string): OpenDatabase {
  const path = historyFile(state);
  return exclusively(path, () => {
    try {
      return connect(path, []);
    } catch (cause) {
      if (!isDamage(cause)) throw cause;
      const aside = rename(path);
      return connect(path, [`history was damaged (${messageOf(cause)}); moved to ${aside}, a new one was started`]);
    }
  });
}

/** Moves a file aside that turned out damaged while open, unless another process has done so; returns its new name. */
export function moveAside({ path, identity, connection }: OpenDatabase): string | undefined {
  connection.close();
  return exclusively(path, () => (identityOf(path) === identity ? rename(path) : undefined));
}

/** False when the open file was deleted or replaced: what is written to it is lost. */
export function isInPlace({ path, identity }: OpenDatabase): boolean {
  return identityOf(path) === identity;
}

/** True for "malformed" and "not a database"; a full disk or a locked file is no damage. */
export function isDamage(error: unknown): boolean {
  const code = String((error as { code?: unknown } | null)?.code);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

function connect(path: string, warnings: readonly string[]): OpenDatabase {
  if (!existsSync(path)) for (const companion of companions) rmSync(`${path}${companion}`, { force: true });
  make(path);
  const connection = new Database(path, { timeout: busyTimeoutMs });
  try {
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = NORMAL');
    connection.pragma('foreign_keys = ON');
    const tables = drizzle(connection);
    migrate(tables, { migrationsFolder: builtFile('history/migrations') });
    return { path, identity: String(identityOf(path)), connection, tables, warnings };
  } catch (cause) {
    connection.close();
    throw cause;
  }
}

/** Makes a private file; SQLite gives `-wal` and `-shm` the mode of the file itself. */
function make(path: string): void {
  try {
    // Never reopened: closing a descriptor of an open database would drop this process's locks on it (POSIX).
    if (!existsSync(path)) closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
}

function rename(path: string): string {
  const aside = `${path}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  renameSync(path, aside);
  for (const companion of companions) {
    if (existsSync(`${path}${companion}`)) renameSync(`${path}${companion}`, `${aside}${companion}`);
  }
  return aside;
}

/** The migrator begins a transaction of its own, so the lock is that of a second, empty database. */
function exclusively<T>(path: string, action: () => T): T {
  make(`${path}.lock`);
  const lock = new Database(`${path}.lock`, { timeout: busyTimeoutMs });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return action();
  } finally {
    lock.close();
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
}
