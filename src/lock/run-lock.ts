/**
 * Run locks between the processes of one machine: one per job, one per running execution.
 * Guarantees: a lock is an exclusive transaction on a small SQLite file of its own, so the kernel frees it the moment
 * its holder dies, whatever killed it; nothing is ever broken by guess (age, pid). The file beside it only tells
 * people who holds it.
 * Refuses: a second acquisition in the same process. Outside SQLite nobody may open a lock file: POSIX drops all of a
 * process's locks on a file when any descriptor of it is closed (fcntl(2), "Record locks").
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError } from '../errors.ts';
import { lockFolder, openStateFolder } from '../state-folder.ts';
import { LockFile } from './lock-file.ts';
import {
  describeHolder,
  type HeldBy,
  type LockHolder,
  readHolder,
  removeHolder,
  thisKernel,
  writeHolder,
} from './lock-holder.ts';

export type { HeldBy, LockHolder } from './lock-holder.ts';

const pollMs = 250;
/** A probe holds a lock file for a moment; who does not wait outlasts it. Blocks the event loop, hence short. */
const patienceMs = 200;

export interface RunLockRequest {
  /** Absolute path of the state folder. */
  readonly stateFolder: string;
  /** Job name, or `executionLockName(id)`. */
  readonly name: string;
  readonly holder: LockHolder;
  /** Wait until the lock is free or `signal` aborts, instead of failing with BUSY. */
  readonly wait: boolean;
  readonly signal: AbortSignal;
  /** Told once, when the wait begins. */
  readonly onWait?: (heldBy: HeldBy | undefined) => void;
}

export interface RunLock {
  readonly name: string;
  /** Frees the lock and removes its files; a second call does nothing. */
  release(): Promise<void>;
}

/** Throws BUSY (naming who holds it and since when), or `signal.reason` when the wait is aborted. */
export async function acquireRunLock(request: RunLockRequest): Promise<RunLock> {
  request.signal.throwIfAborted();
  const folder = await openStateFolder(lockFolder(request.stateFolder));
  const file = await LockFile.at(folder, request.name);
  if (!file.tryLock(request.wait ? 0 : patienceMs)) await waitOrRefuse(file, request);
  await writeHolder(file.holderPath, request.holder);
  return { name: request.name, release: () => release(file) };
}

async function waitOrRefuse(file: LockFile, request: RunLockRequest): Promise<void> {
  const heldBy = await readHolder(file.holderPath);
  if (!request.wait) throw busy(request.name, heldBy);
  request.onWait?.(heldBy);
  do {
    await pause(request.signal);
  } while (!file.tryLock(0));
}

async function pause(signal: AbortSignal): Promise<void> {
  // The timer rejects with its own AbortError; the caller wants the reason.
  await delay(pollMs, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

async function release(file: LockFile): Promise<void> {
  if (!file.isHeld) return;
  try {
    await removeHolder(file.holderPath);
  } finally {
    file.unlock();
  }
}

/** True when anybody, this process included, holds the lock. Disturbs nobody and makes no file. */
export async function probeRunLock(stateFolder: string, name: string): Promise<boolean> {
  const file = await LockFile.at(lockFolder(stateFolder), name);
  return file.probe();
}

/**
 * Whether an execution lives; undefined where only another machine could tell. A lock is believed under the name of this
 * host, and under any name where this kernel keeps it: a container that is started anew has another one.
 */
export async function executionLives(
  stateFolder: string,
  execution: { readonly id: string; readonly host: string },
  host: string,
): Promise<boolean | undefined> {
  const file = await LockFile.at(lockFolder(stateFolder), executionLockName(execution.id));
  if (execution.host !== host) {
    const kernel = (await readHolder(file.holderPath))?.kernel;
    if (kernel === undefined || kernel !== thisKernel) return undefined;
  }
  return file.probe();
}

/** Removes the files of executions that have died. Each is locked first, so that no living one ever loses its file. */
export async function clearDeadExecutions(stateFolder: string): Promise<void> {
  for (const name of await lockNames(stateFolder)) {
    if (!name.includes('~')) continue;
    const file = await LockFile.at(lockFolder(stateFolder), name);
    if (file.tryLock(0)) await release(file);
  }
}

/** Of all lock files, held or left behind by the dead. */
export async function lockNames(stateFolder: string): Promise<readonly string[]> {
  const files = await readdir(lockFolder(stateFolder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = files.filter((file) => file.endsWith('.lock'));
  return names.map((file) => decodeURIComponent(file.slice(0, -'.lock'.length)));
}

/** The lock an execution of any kind holds as long as it lives. `~` is no character of a job name. */
export function executionLockName(executionId: string): string {
  return `execution~${executionId}`;
}

function busy(name: string, heldBy: HeldBy | undefined): DbBackupError {
  return new DbBackupError('BUSY', `job ${name} is locked by ${describeHolder(heldBy)}`, {
    hint: 'Wait for it with --wait, or see what it does with `dbbackup status`.',
    retryable: true,
  });
}
