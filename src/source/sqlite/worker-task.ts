import type { DatabaseHeader } from './database-header.ts';

/** What `worker.ts` is asked (one JSON object on its stdin) and answers (the last JSON line on its stdout). */

/** Copies one snapshot of `from` into the new file `to`, while others write. */
export interface CopyTask {
  readonly task: 'copy';
  readonly from: string;
  readonly to: string;
  readonly busyTimeoutMs: number;
}

/**
 * Reads the head of a file that others may have open. Not in our own process: closing a file there would drop the locks
 * that SQLite holds on it for another of our connections (a job that backs up our own history).
 */
export interface LookTask {
  readonly task: 'look';
  readonly path: string;
}

/** Reads a database file that nobody else has: integrity, tables, properties. */
export interface CheckTask {
  readonly task: 'check';
  readonly path: string;
}

/** Replaces the content of the database `to` by that of `from`, all or nothing. */
export interface OverwriteTask {
  readonly task: 'overwrite';
  readonly from: string;
  readonly to: string;
  readonly busyTimeoutMs: number;
}

export interface LookAnswer {
  /** Undefined for what is not a SQLite database. */
  readonly header?: DatabaseHeader;
  readonly sqliteVersion: string;
}

export type WorkerTask = LookTask | CopyTask | CheckTask | OverwriteTask;

export interface CheckAnswer {
  /** What `PRAGMA integrity_check` found, at most ten lines; empty = the database is whole. */
  readonly problems: readonly string[];
  /** `null` for virtual tables: their rows are counted in the tables that hold them, if at all. */
  readonly tables: Readonly<Record<string, number | null>>;
  readonly properties: Readonly<Record<string, string | number>>;
}

export interface WorkerAnswers {
  readonly look: LookAnswer;
  readonly copy: Record<string, never>;
  readonly check: CheckAnswer;
  readonly overwrite: Record<string, never>;
}

export type WorkerLine =
  | { readonly progress: number }
  | { readonly answer: WorkerAnswers[keyof WorkerAnswers] }
  /** `code` as in SQLite: `SQLITE_BUSY`, `SQLITE_NOTADB` …; or as the system names it: `EACCES`. */
  | { readonly error: { readonly code: string; readonly message: string } };
