/**
 * One lock file: an empty SQLite database; who has `BEGIN EXCLUSIVE` on it holds the lock. Nothing is ever
 * committed to it, so a killed holder leaves no journal behind (https://sqlite.org/lockingv3.html).
 */
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DbBackupError } from '../errors.ts';
import type { Connection, Database } from '../sqlite-library.ts';

/** Locks of this process: POSIX would grant it the same lock twice, and drop both when one file is closed. */
const held = new Map<string, Connection>();

export class LockFile {
  readonly path: string;
  readonly holderPath: string;
  readonly #Database: typeof Database;
  #connection: Connection | undefined;

  private constructor(file: string, database: typeof Database) {
    this.path = file;
    this.holderPath = `${file}.json`;
    this.#Database = database;
  }

  static async at(folder: string, name: string): Promise<LockFile> {
    const library = await import('../sqlite-library.ts');
    return new LockFile(path.resolve(folder, `${encodeURIComponent(name)}.lock`), library.Database);
  }

  get isHeld(): boolean {
    return this.#connection !== undefined;
  }

  /** False when somebody else holds it. Blocks the event loop for at most `patienceMs`. */
  tryLock(patienceMs: number): boolean {
    for (;;) {
      if (held.has(this.path)) return false;
      const before = this.#identity() ?? this.#make();
      const connection = this.#lockConnection(patienceMs);
      if (connection === undefined) return false;
      // A holder unlinks the file before it lets go: a lock on the unlinked one would be worth nothing.
      if (before !== undefined && this.#identity() === before) {
        held.set(this.path, connection);
        this.#connection = connection;
        return true;
      }
      connection.close();
    }
  }

  /** Removes the file while still holding it, then lets go. */
  unlock(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    try {
      rmSync(this.path, { force: true });
    } finally {
      connection.close();
      held.delete(this.path);
    }
  }

  /** True when anybody holds it. Takes a read lock for a moment, so two probes do not see each other. */
  probe(): boolean {
    if (held.has(this.path)) return true;
    try {
      if (!existsSync(this.path)) return false;
      const connection = new this.#Database(this.path, { readonly: true, fileMustExist: true, timeout: 0 });
      try {
        connection.prepare('SELECT 1 FROM sqlite_master').get();
        return false;
      } finally {
        connection.close();
      }
    } catch (cause) {
      if (isBusy(cause)) return true;
      if (!existsSync(this.path)) return false;
      throw this.#failure(cause);
    }
  }

  #lockConnection(patienceMs: number): Connection | undefined {
    let connection: Connection | undefined;
    try {
      connection = new this.#Database(this.path, { timeout: patienceMs });
      // SQLite would begin a journal for the first page of the empty file, and a killed holder would leave it behind.
      connection.pragma('journal_mode = MEMORY');
      connection.exec('BEGIN EXCLUSIVE');
      return connection;
    } catch (cause) {
      connection?.close();
      if (isBusy(cause)) return undefined;
      throw this.#failure(cause);
    }
  }

  /** Tells a file from another that took its name later; undefined when there is none. */
  #identity(): string | undefined {
    const stat = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stat && `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
  }

  #make(): string | undefined {
    try {
      closeSync(openSync(this.path, 'wx', 0o600));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw this.#failure(cause);
    }
    return this.#identity();
  }

  #failure(cause: unknown): DbBackupError {
    return new DbBackupError('UNEXPECTED', `lock file ${this.path} cannot be used`, {
      cause,
      hint: 'See that the folder can be written and is on a local disk; remove the file while no dbbackup runs.',
    });
  }
}

function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code).startsWith('SQLITE_BUSY');
}
