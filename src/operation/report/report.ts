/**
 * What `report` tells: runs from the history (and of backups that it does not know, from their sidecars), copies and
 * retention from the destinations. Plain data, every free text redacted; how it looks is the business of the renderers.
 */
import type { ErrorRecord, ExecutionKind, ExecutionStatus } from '../../history/history.ts';

export interface Report {
  readonly tool: { readonly name: string; readonly version: string };
  /** The machine whose history this is. */
  readonly host: string;
  readonly generatedAt: Date;
  /** Runs from then on. */
  readonly since: Date;
  /** IANA name of the zone in which times are shown. */
  readonly timezone: string;
  /** False: only the history was asked, because of `--no-destinations` or for want of a config. */
  readonly destinationsRead: boolean;
  /** In the order of the config; then jobs that only the history knows. */
  readonly jobs: readonly JobReport[];
}

/** `failing`: something must be done; `warning`: something should be looked at; `idle`: nothing ran and nothing is there. */
export type JobState = 'good' | 'warning' | 'failing' | 'idle';

export interface JobReport {
  readonly name: string;
  readonly description?: string;
  /** Undefined for a job that the config does not have (any more). */
  readonly source?: { readonly name: string; readonly type: string };
  /** Runs only when it is named. */
  readonly disabled: boolean;
  /** Undefined for a job that only people start. */
  readonly schedule?: ScheduleReport;
  readonly state: JobState;
  /** Why it is not good, the gravest first. */
  readonly concerns: readonly string[];
  /** Backups since `since`, oldest first. */
  readonly runs: readonly Run[];
  readonly counts: Counts;
  /** The newest of all, before `since` too. */
  readonly lastRun?: Run;
  /** The newest good backup that lies somewhere; from the history alone where no destination could be asked. */
  readonly lastGood?: LastGood;
  /** One per destination of the job. */
  readonly copies: readonly CopyReport[];
  /** Newest first, at most `mostFailures`; of all kinds of executions of this job. */
  readonly failures: readonly Failure[];
  /** Executions, also those that are not told of. */
  readonly failureCount: number;
}

export interface ScheduleReport {
  /** `0 3 * * * (Europe/Zurich)`, `every 6h`. */
  readonly text: string;
  /** Undefined for a disabled job. */
  readonly nextRun?: Date;
  /** When a run was due that never came. */
  readonly missedAt?: Date;
}

export const mostFailures = 20;

/** What became of a run: `warned` is partial, suspect or cancelled; `failed` also interrupted. */
export type RunOutcome = 'good' | 'warned' | 'failed' | 'running';

export interface Run {
  /** Of the execution; undefined where only a sidecar tells of it. */
  readonly executionId?: string;
  readonly backupId?: string;
  readonly startedAt: Date;
  readonly trigger: string;
  readonly status: ExecutionStatus;
  readonly outcome: RunOutcome;
  /** These three only of a run that published a backup. */
  readonly durationMs?: number;
  readonly rawBytes?: number;
  readonly storedBytes?: number;
}

export interface Counts {
  readonly total: number;
  readonly good: number;
  readonly partial: number;
  readonly suspect: number;
  readonly cancelled: number;
  /** Also interrupted. */
  readonly failed: number;
  readonly running: number;
  /** Known from a sidecar, not by a record of their run: where these are, failed runs may be missing. */
  readonly fromSidecars: number;
}

export interface LastGood {
  readonly backupId: string;
  readonly at: Date;
  readonly ageMs: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** Names of the destinations that have it; empty: the history says so, no destination was asked. */
  readonly destinations: readonly string[];
}

export interface CopyReport {
  readonly destination: string;
  readonly type: string;
  /** Why nothing is known of it; then the rest is missing. */
  readonly problem?: string;
  readonly holdings?: Holdings;
}

export interface Holdings {
  /** Complete ones. */
  readonly backups: number;
  readonly storedBytes: number;
  readonly suspect: number;
  readonly locked: number;
  /** Damaged, unreadable, without data or sidecar, or with a last verification that failed. */
  readonly damaged: number;
  readonly lastGood?: CopyOfBackup;
  readonly retention: RetentionOutlook;
}

export interface CopyOfBackup {
  readonly backupId: string;
  readonly key: string;
  readonly at: Date;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** When a verification last passed. */
  readonly verifiedAt?: Date;
}

export interface RetentionOutlook {
  /** `last 7, daily 14`; undefined: everything is kept. */
  readonly rules?: string;
  /** Why it cannot be told what the rules will do. */
  readonly problem?: string;
  readonly keptNow: number;
  /** In the order of deletion: by the next prune, and over the days to come if every run succeeds. */
  readonly deletions: readonly Deletion[];
}

/** Days that retention is looked ahead. */
export const outlookDays = 30;

export interface Deletion {
  /** Now: by the next prune. */
  readonly at: Date;
  readonly due: boolean;
  readonly backupId?: string;
  readonly startedAt: Date;
  readonly storedBytes?: number;
}

/** One, or several in a row that said the same. */
export interface Failure {
  /** Of the newest of them. */
  readonly executionId: string;
  readonly kind: ExecutionKind;
  readonly startedAt: Date;
  readonly times: number;
  /** When the oldest of them began. */
  readonly sinceAt: Date;
  readonly status: ExecutionStatus;
  readonly message: string;
  readonly code?: ErrorRecord['code'];
  readonly hint?: string;
}
