import { DbBackupError } from '../../errors.ts';
import { builtFile } from '../../installation.ts';
import { capture } from '../../process/process.ts';
import type { WorkerAnswers, WorkerLine, WorkerTask } from './worker-task.ts';

/** What SQLite itself refused; callers give it the name of what they were doing. */
export class SqliteRefusal extends Error {
  /** `SQLITE_BUSY`, `SQLITE_NOTADB` …, with the extended part where there is one. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${message} (${code})`);
    this.code = code;
  }

  get busy(): boolean {
    return /^SQLITE_(BUSY|LOCKED)/.test(this.code);
  }
}

/**
 * Runs one task in a process of its own and returns the answer. Throws SqliteRefusal, or what the process room throws.
 * Only a copy shows signs of life, so only there an idle limit is watched.
 */
export async function askWorker<Task extends WorkerTask>(
  task: Task,
  limits: { readonly signal: AbortSignal; readonly idleTimeoutMs?: number },
): Promise<WorkerAnswers[Task['task']]> {
  const { stdout } = await capture({
    command: process.execPath,
    args: [builtFile('source/sqlite/worker.js')],
    stdinPrefix: Buffer.from(JSON.stringify(task)),
    signal: limits.signal,
    idleTimeoutMs: task.task === 'copy' ? limits.idleTimeoutMs : undefined,
  });
  const line = JSON.parse(stdout.trimEnd().split('\n').at(-1) || '{}') as WorkerLine;
  if ('error' in line) throw new SqliteRefusal(line.error.code, line.error.message);
  if ('answer' in line) return line.answer as WorkerAnswers[Task['task']];
  throw new DbBackupError('UNEXPECTED', `the SQLite worker ended without an answer to "${task.task}"`);
}
