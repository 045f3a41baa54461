/**
 * One execution: its own kernel-held lock (so that another process can tell a living run from a dead one), its
 * temporary folder, its history, its time limits and its reports. Guarantees: whatever happens inside, the execution
 * ends recorded, the folder is removed and the lock is freed.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DbBackupError, explain } from '../errors.ts';
import type {
  ErrorRecord,
  ExecutionDetails,
  ExecutionEnd,
  ExecutionKind,
  ExecutionStatus,
} from '../history/history.ts';
import { acquireRunLock, executionLockName, type RunLock } from '../lock/run-lock.ts';
import { redact } from '../redact.ts';
import type { SourceContext } from '../source/source.ts';
import { watchForCancel } from './cancel.ts';
import type { ProgressTotal } from './event.ts';
import type { Runtime } from './runtime.ts';

/** Progress is told to the terminal at most this often; the history has its own, slower limit. */
const reportEveryMs = 100;

export interface ExecutionSubject {
  readonly kind: ExecutionKind;
  /** The job, or the file for what has no job. */
  readonly subject: string;
  readonly job?: string;
  readonly details?: ExecutionDetails;
  readonly idleTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
}

/** How an execution that did not throw ended. */
export type ExecutionReport = Omit<ExecutionEnd, 'status'> & {
  readonly status?: ExecutionStatus & ExecutionEnd['status'];
};

export interface Execution extends SourceContext {
  readonly id: string;
  readonly startedAt: Date;
  /** Everything the user should know although the execution succeeded. */
  readonly warnings: readonly string[];
  /** Those of the warnings that make the exit code 8: something beside the backup failed. */
  readonly troubles: readonly string[];
  /** Logs a warning and counts it as trouble. */
  trouble(line: string): void;
  step(name: string): void;
  progress(rawBytes: number, storedBytes: number, total?: ProgressTotal): void;
  /** Keeps a lock until the execution ends. */
  hold(lock: RunLock): void;
}

/** Runs `work` as an execution; what it returns beside its value goes into the history. */
export async function withExecution<Value>(
  subject: ExecutionSubject,
  runtime: Runtime,
  work: (execution: Execution) => Promise<{ value: Value; report: ExecutionReport }>,
): Promise<Value> {
  const id = randomUUID();
  const lock = await acquireRunLock({
    stateFolder: runtime.stateFolder,
    name: executionLockName(id),
    holder: { executionId: id, host: runtime.host, pid: process.pid, command: subject.kind },
    // Nobody else wants it, but whoever looks for dead executions may touch it for a moment.
    wait: true,
    signal: runtime.signal,
  });
  const folder = temporaryFolderOf(runtime.stateFolder, id);
  const limit = timeLimit(subject);
  const wish = watchForCancel(runtime.stateFolder, id);
  const signal = AbortSignal.any([runtime.signal, wish.signal, ...(limit ? [limit.signal] : [])]);
  // Everything that is under way listens, and Node takes more than ten listeners for a leak.
  setMaxListeners(0, signal);
  const held: RunLock[] = [lock];
  const execution = openExecution(id, subject, folder, signal, held, runtime);
  await begin(execution, subject, runtime);
  try {
    const { value, report } = await work(execution);
    await end(execution, { ...report, status: report.status ?? 'completed' }, subject, runtime);
    return value;
  } catch (error) {
    await end(execution, { status: statusOf(error), error: errorRecord(error) }, subject, runtime);
    throw error;
  } finally {
    limit?.clear();
    await wish.close();
    await rm(folder, { recursive: true, force: true });
    for (const each of held.reverse()) await each.release();
  }
}

export function temporaryFolderOf(stateFolder: string, executionId: string): string {
  return join(stateFolder, 'tmp', executionId);
}

function openExecution(
  id: string,
  subject: ExecutionSubject,
  folder: string,
  signal: AbortSignal,
  held: RunLock[],
  runtime: Runtime,
): Execution {
  const warnings: string[] = [];
  const troubles: string[] = [];
  const about = { executionId: id, kind: subject.kind, subject: subject.subject };
  let currentStep = 'start';
  let reportedAt = 0;
  return {
    id,
    startedAt: new Date(),
    warnings,
    troubles,
    signal,
    idleTimeoutMs: subject.idleTimeoutMs,
    async temporaryFolder() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return folder;
    },
    log(level, line) {
      const text = redact(line);
      if (level === 'warning') warnings.push(text);
      runtime.history.log(id, level, text);
      runtime.emit({ type: 'log', ...about, level, text });
    },
    trouble(line) {
      this.log('warning', line);
      troubles.push(redact(line));
    },
    step(name) {
      currentStep = name;
      reportedAt = 0;
      runtime.history.setStep(id, name);
      runtime.emit({ type: 'step', ...about, step: name });
    },
    progress(rawBytes, storedBytes, total) {
      const now = Date.now();
      if (now - reportedAt < reportEveryMs) return;
      reportedAt = now;
      const estimatedBytes = total?.bytes;
      runtime.history.progress(id, { step: currentStep, rawBytes, storedBytes, estimatedBytes });
      runtime.emit({ type: 'progress', ...about, step: currentStep, rawBytes, storedBytes, total });
    },
    hold(lock) {
      held.push(lock);
    },
  };
}

function timeLimit({
  totalTimeoutMs,
  kind,
  subject,
}: ExecutionSubject): { signal: AbortSignal; clear(): void } | undefined {
  if (totalTimeoutMs === undefined) return undefined;
  const limit = new AbortController();
  const tooLong = new DbBackupError('TIMEOUT', `${kind} of ${subject} took longer than ${totalTimeoutMs / 1000} s`, {
    hint: 'Raise timeouts.total of the job, or find out what became slower (dbbackup history).',
    retryable: true,
  });
  const timer = setTimeout(() => limit.abort(tooLong), totalTimeoutMs);
  return { signal: limit.signal, clear: () => clearTimeout(timer) };
}

async function begin(execution: Execution, subject: ExecutionSubject, runtime: Runtime): Promise<void> {
  await runtime.history.begin({
    ...subject.details,
    id: execution.id,
    kind: subject.kind,
    job: subject.job,
    config: runtime.config?.file,
    trigger: runtime.trigger,
    host: runtime.host,
    pid: process.pid,
    startedAt: execution.startedAt,
  });
  runtime.emit({ type: 'start', executionId: execution.id, kind: subject.kind, subject: subject.subject });
}

async function end(
  execution: Execution,
  how: ExecutionEnd,
  subject: ExecutionSubject,
  runtime: Runtime,
): Promise<void> {
  await runtime.history.finish(execution.id, how);
  const about = { executionId: execution.id, kind: subject.kind, subject: subject.subject };
  runtime.emit({ type: 'end', ...about, status: how.status });
}

function statusOf(error: unknown): ExecutionEnd['status'] {
  const code = error instanceof DbBackupError ? error.code : undefined;
  return code === 'INTERRUPTED' || code === 'TERMINATED' ? 'cancelled' : 'failed';
}

/** With all causes, so that `history` alone tells what happened. */
function errorRecord(error: unknown): ErrorRecord {
  const known = error instanceof DbBackupError ? error : undefined;
  return { code: known?.code ?? 'UNEXPECTED', message: explain(error), hint: known?.hint };
}
