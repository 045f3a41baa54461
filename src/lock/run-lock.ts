/**
 * Run locks between the processes of one machine: one per job, one per running execution.
 * Guarantees: a lock is an exclusive transaction on a small SQLite file of its own, so the kernel frees it the moment
 * its holder dies, whatever killed it; nothing is ever broken by guess (age, pid). The file beside it only tells
 * people who holds it.
 * Refuses: a second acquisition in the same process. Outside SQLite nobody may open a lock file: POSIX drops all of a
 * process's locks on a file when any descriptor of it is closed (fcntl(2), "Record locks").
 */

export interface LockHolder {
  readonly executionId: string;
  readonly host: string;
  readonly pid: number;
  /** As shown to people: `dbbackup run shop`. Redacted when written. */
  readonly command: string;
}

/** The holder, and since when (ISO 8601). */
export interface HeldBy extends LockHolder {
  readonly since: string;
}

export interface RunLockRequest {
  /** Absolute path; must exist. */
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
  /** Frees the lock and removes its files. Never rejects; a second call does nothing. */
  release(): Promise<void>;
}

/** Throws BUSY (naming who holds it and since when), or `signal.reason` when the wait is aborted. */
export declare function acquireRunLock(request: RunLockRequest): Promise<RunLock>;

/** True when anybody, this process included, holds the lock. Disturbs nobody and makes no file. */
export declare function probeRunLock(stateFolder: string, name: string): Promise<boolean>;

/** The lock an execution of any kind holds as long as it lives. `~` is no character of a job name. */
export function executionLockName(executionId: string): string {
  return `execution~${executionId}`;
}
