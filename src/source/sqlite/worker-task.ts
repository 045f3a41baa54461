/** What `worker.ts` is asked (one JSON object on its stdin) and answers (the last JSON line on its stdout). */

/** Copies one snapshot of `from` into the new file `to`, while others write. */
export interface CopyTask {
  readonly task: 'copy';
  readonly from: string;
  readonly to: string;
  readonly busyTimeoutMs: number;
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

export type WorkerTask = CopyTask | CheckTask | OverwriteTask;

export interface CheckAnswer {
  /** What `PRAGMA integrity_check` found, at most ten lines; empty = the database is whole. */
  readonly problems: readonly string[];
  /** `null` for virtual tables: their rows are counted in the tables that hold them, if at all. */
  readonly tables: Readonly<Record<string, number | null>>;
  readonly properties: Readonly<Record<string, string | number>>;
}

export interface WorkerAnswers {
  readonly copy: Record<string, never>;
  readonly check: CheckAnswer;
  readonly overwrite: Record<string, never>;
}

export type WorkerLine =
  | { readonly progress: number }
  | { readonly answer: WorkerAnswers[keyof WorkerAnswers] }
  /** `code` as in SQLite: `SQLITE_BUSY`, `SQLITE_NOTADB` … */
  | { readonly error: { readonly code: string; readonly message: string } };
