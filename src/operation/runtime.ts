/** What every operation gets from the composition root: adapters, folders, history, and where to report. */
import type { ZodType } from 'zod';
import type { AdapterDefinition, Config } from '../config/config.ts';
import type { EncryptionAdapter } from '../crypto/all.ts';
import type { Decryptor } from '../crypto/encryption.ts';
import type { DestinationType } from '../destination/destination.ts';
import type { DestinationResult, Execution, JobStatistics } from '../history/history.ts';
import type { TolerantHistory } from '../history/tolerant.ts';
import type { NotificationType } from '../notification/notification.ts';
import type { SourceType } from '../source/source.ts';
import type { OperationEvent } from './event.ts';

export interface Runtime {
  readonly tool: { readonly name: string; readonly version: string };
  readonly host: string;
  /** Who asked: `manual`, `cron`, … as it goes into sidecar and history. */
  readonly trigger: string;
  readonly sources: readonly SourceType[];
  readonly destinations: readonly DestinationType[];
  readonly encryption: readonly EncryptionAdapter[];
  readonly notifications: readonly NotificationType[];
  /** Undefined for what works without a configuration. */
  readonly config?: Config;
  /** For relative paths typed by the user. */
  readonly workingFolder: string;
  /** Absolute, exists, 0700. */
  readonly stateFolder: string;
  readonly history: TolerantHistory;
  readonly signal: AbortSignal;
  /** Looks up the definition's secret references and checks its options; throws SECRET_UNAVAILABLE, CONFIG_INVALID. */
  resolve<Options>(definition: AdapterDefinition, type: { readonly options: ZodType<Options> }): Promise<Options>;
  /** The keys at hand for reading; asked only when an encrypted backup is met. */
  decryptor(): Promise<Decryptor>;
  /** What the history knows of earlier runs; undefined when it cannot be read. */
  jobStatistics(job: string): Promise<JobStatistics | undefined>;
  /** The newest backups of a job that began to run, newest first; none when the history cannot be read. */
  recentRuns(job: string, count: number): Promise<readonly Execution[]>;
  /**
   * Marks executions whose process is gone, and returns all interrupted ones that may still have left something at a
   * destination (status `running` there); an unreadable history gives none.
   */
  interrupted(isAlive: (execution: Execution) => boolean | Promise<boolean>): Promise<readonly Execution[]>;
  /** What an interrupted execution left at one destination is settled. */
  settle(execution: Execution, result: DestinationResult): Promise<void>;
  /** The secret key that signs new backups, as text; undefined without one. */
  signingKey(): Promise<string | undefined>;
  /** Public keys pinned by the config or on the command line, as texts; empty = signatures are not asked for. */
  trustedKeys(): Promise<readonly string[]>;
  emit(event: OperationEvent): void;
  /** Asks before something is destroyed; throws CONSENT_REQUIRED where nobody can be asked and `--yes` is missing. */
  consent(question: string): Promise<void>;
}
