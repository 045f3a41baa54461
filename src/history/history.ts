/**
 * The audit log of what ran on this machine: executions, their destinations and log lines, validations of backups.
 * Guarantees: several processes may open, migrate and write it at once; progress is written at most twice a second;
 * free text passes through `redact` before it is stored; a damaged file is moved aside and named in `warnings`.
 * Refuses: being a source of truth. `list`, `restore` and retention read the sidecars; losing this file hides no
 * backup. Every method throws HISTORY_FAILED when the database does; see tolerant.ts for runs that must go on.
 */
import type { BackupType, TableFilter } from '../source/source.ts';

export type ExecutionKind =
  | 'backup'
  | 'restore'
  | 'verify'
  | 'prune'
  | 'drill'
  | 'download'
  | 'delete'
  | 'cleanup'
  | 'tune';

/** `interrupted`: the process died; `suspect`: published, but the anomaly guard objects. */
export type ExecutionStatus =
  | 'pending'
  | 'running'
  | 'completed'
  | 'partial'
  | 'failed'
  | 'cancelled'
  | 'interrupted'
  | 'suspect';

export type DestinationStatus = 'running' | 'completed' | 'failed' | 'cancelled';
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** A DbBackupError fits. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What may be known at the beginning, or only at the end; what is given at the end replaces. */
export interface ExecutionDetails {
  readonly estimatedBytes?: number;
  readonly compression?: string;
  readonly level?: number;
  /** Fingerprint of the recipients or key id; never a key. */
  readonly encryptionFingerprint?: string;
  readonly backupType?: BackupType;
  readonly filter?: TableFilter;
  readonly note?: string;
  readonly backupId?: string;
  /** File name of the backup. */
  readonly artifact?: string;
  readonly rawSha256?: string;
  readonly storedSha256?: string;
  readonly retryCount?: number;
}

export interface NewExecution extends ExecutionDetails {
  /** UUIDv4; made here when missing. Whoever takes the execution's own lock first has it already. */
  readonly id?: string;
  readonly kind: ExecutionKind;
  readonly job?: string;
  /** Absolute path of the config file that knows the job. */
  readonly config?: string;
  /** Who asked: `manual`, `schedule` … */
  readonly trigger: string;
  readonly host: string;
  readonly pid: number;
  /** Default `running`; a queued one is `pending` until `start`. */
  readonly status?: 'pending' | 'running';
  readonly step?: string;
  readonly startedAt?: Date;
}

export interface Progress {
  readonly step?: string;
  /** Bytes so far. */
  readonly rawBytes?: number;
  readonly storedBytes?: number;
  /** Raw bytes expected. */
  readonly estimatedBytes?: number;
}

export interface ExecutionEnd extends ExecutionDetails {
  readonly status: Exclude<ExecutionStatus, 'pending' | 'running'>;
  readonly rawBytes?: number;
  readonly storedBytes?: number;
  /** Default: now. */
  readonly finishedAt?: Date;
  /** Default: finishedAt − startedAt. */
  readonly durationMs?: number;
  readonly error?: ErrorRecord;
}

export interface DestinationResult {
  readonly name: string;
  readonly type: string;
  readonly status: DestinationStatus;
  readonly key?: string;
  /** Bytes. */
  readonly size?: number;
  readonly error?: string;
}

export interface Execution extends ExecutionDetails {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly job?: string;
  readonly config?: string;
  readonly trigger: string;
  readonly host: string;
  readonly pid: number;
  readonly status: ExecutionStatus;
  readonly step?: string;
  /** Bytes so far while it runs. */
  readonly rawBytes?: number;
  readonly storedBytes?: number;
  /** Of a pending one: when it was queued. */
  readonly startedAt: Date;
  readonly finishedAt?: Date;
  readonly durationMs?: number;
  readonly error?: ErrorRecord;
  readonly retryCount: number;
  /** Set when the entry was lost, and written anew from a sidecar: log and process are unknown then. */
  readonly rebuiltAt?: Date;
  readonly created: Date;
  readonly updated: Date;
  readonly destinations: readonly DestinationResult[];
}

export interface ExecutionQuery {
  readonly job?: string;
  /** Not those of another config file; those of which nothing tells it count. */
  readonly config?: string;
  readonly status?: ExecutionStatus | readonly ExecutionStatus[];
  readonly kind?: ExecutionKind | readonly ExecutionKind[];
  /** Started at or after. */
  readonly since?: Date;
  /** Started before. */
  readonly until?: Date;
  /** Default `startedAt`. */
  readonly sort?: 'startedAt' | 'finishedAt' | 'durationMs' | 'rawBytes' | 'storedBytes' | 'job' | 'status';
  /** Default `desc`. */
  readonly order?: 'asc' | 'desc';
  /** Default 50. */
  readonly limit?: number;
  readonly offset?: number;
}

export interface ExecutionPage {
  readonly executions: readonly Execution[];
  /** How many match without limit and offset. */
  readonly total: number;
}

export interface LogLine {
  readonly at: Date;
  readonly level: LogLevel;
  readonly text: string;
}

export interface Validation {
  readonly at: Date;
  readonly kind: 'verify' | 'drill';
  readonly backupId: string;
  /** Key of the artifact at the destination. */
  readonly key: string;
  readonly destination: string;
  readonly result: 'passed' | 'failed';
  readonly error?: string;
}

/** A backup as its sidecars tell of it, for a history that has lost the entry of its run. */
export interface RebuiltBackup extends ExecutionDetails {
  readonly backupId: string;
  readonly job: string;
  readonly trigger: string;
  readonly host: string;
  readonly status: 'completed' | 'suspect';
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly durationMs: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly destinations: readonly DestinationResult[];
  readonly validations: readonly Omit<Validation, 'backupId'>[];
}

/** What `rebuild` added, and how many of the backups it found in the history already. */
export interface RebuildCounts {
  readonly executions: number;
  readonly destinations: number;
  readonly validations: number;
  readonly known: number;
}

/** Over the executions of kind `backup`. */
export interface JobStatistics {
  readonly job: string;
  /** The newest that is not pending; `backupId` and `status` are its own. */
  readonly lastRun?: Execution;
  /** The newest completed one. */
  readonly lastGood?: Execution;
  readonly total: number;
  /** Completed. */
  readonly successful: number;
  /** Failed or interrupted. */
  readonly failed: number;
  /** How many completed runs the medians rest on. */
  readonly sampled: number;
  readonly medianDurationMs?: number;
  readonly medianRawBytes?: number;
  readonly medianStoredBytes?: number;
}

export interface SampleChoice {
  /** Not what another config file's job of this name did; see `ExecutionQuery`. */
  readonly config?: string;
  /** Newest completed runs that make the medians; default 10. */
  readonly runs?: number;
  /** Only runs started at or after. */
  readonly since?: Date;
}

export interface History {
  /** Trouble that was met and got around while opening (a damaged file moved aside); whoever opens reports them. */
  readonly warnings: readonly string[];
  /** Records a new execution and returns its id. Its own lock must be held before (see `markInterrupted`). */
  begin(execution: NewExecution): string;
  /** A pending execution begins to run. */
  start(id: string, at?: Date): void;
  /** Written at most twice a second; the last value is never lost, `setStep` and `finish` write it. */
  progress(id: string, progress: Progress): void;
  setStep(id: string, step: string): void;
  /** Adds or replaces the result of one destination (by its name). */
  destinationResult(id: string, result: DestinationResult): void;
  finish(id: string, end: ExecutionEnd): void;
  /** Keeps the newest 10,000 lines of an execution, each cut at 8,192 characters. */
  log(id: string, level: LogLevel, text: string): void;
  /** By id or by a prefix of it; throws USAGE when the prefix fits several. */
  get(idOrPrefix: string): Execution | undefined;
  list(query?: ExecutionQuery): ExecutionPage;
  /** In the order of their writing. */
  logs(id: string): readonly LogLine[];
  /** Pending and running ones, oldest first. */
  running(): readonly Execution[];
  jobStatistics(job: string, sample?: SampleChoice): JobStatistics;
  recordValidation(validation: Omit<Validation, 'at'> & { readonly at?: Date }): void;
  /** Newest first. */
  validations(backupId: string): readonly Validation[];
  /**
   * Turns pending and running executions that `isAlive` denies into `interrupted` and returns them as they were.
   * One that ended by itself meanwhile is left alone.
   */
  markInterrupted(isAlive: (execution: Execution) => boolean | Promise<boolean>): Promise<readonly Execution[]>;
  /**
   * Adds entries for backups that have none, marked by `rebuiltAt`, and validations that are missing; all or nothing.
   * What is there stays as it is: done twice, it changes nothing.
   */
  rebuild(backups: readonly RebuiltBackup[]): RebuildCounts;
  /** Flushes the last progress and closes the file. */
  close(): void;
}

/**
 * Opens (makes, migrates) `history.sqlite` in the state folder, which must exist. Throws HISTORY_FAILED.
 * @param state absolute path of the state folder
 */
export async function openHistory(state: string): Promise<History> {
  // better-sqlite3 and drizzle cost 50 ms of start-up; only commands that need the history pay.
  const { SqliteHistory } = await import('./sqlite-history.ts');
  return SqliteHistory.open(state);
}
