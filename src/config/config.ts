/**
 * The configuration as every other room sees it: checked, with references resolved to definitions, secrets still
 * unresolved. `operation` takes only these types.
 */
import type { CompressionType } from '../pipeline/compression/compression.ts';
import type { RetentionRules } from '../retention/retention.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { BackupType, TableFilter } from '../source/source.ts';

/** An adapter definition as in the file: type and options, `${…}` references not yet resolved. */
export interface AdapterDefinition {
  readonly name: string;
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Of a destination: bytes per second; undefined = as fast as it goes. */
  readonly limit?: { readonly upload?: number; readonly download?: number };
  /** For messages: file and path in it (`/etc/dbbackup/dbbackup.yaml: sources.shop`); undefined when made by a flag. */
  readonly place?: string;
}

/** A program and its arguments. */
export type Command = readonly string[];

export interface Hooks {
  /** One that fails ends the run before the dump. */
  readonly before: readonly Command[];
  /** Always, once `before` has begun: undoes it. */
  readonly after: readonly Command[];
  readonly onSuccess: readonly Command[];
  readonly onFailure: readonly Command[];
  /** Of each command. */
  readonly timeoutMs: number;
}

/** Shares: 0.5 = 50%. What is undefined is not looked at. */
export interface AnomalyLimits {
  readonly sizeDrop?: number;
  readonly sizeGrowth?: number;
  readonly rowDrop?: number;
  readonly durationGrowth?: number;
}

export interface Retry {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Wait before the second try; doubles from try to try. */
  readonly backoffMs: number;
}

/** Names with the wildcards `*` and `?`; a backslash takes their meaning away. */
export interface DatabaseFilter {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface Job {
  readonly name: string;
  readonly description?: string;
  /** A disabled job runs only when it is named. */
  readonly enabled: boolean;
  readonly source: AdapterDefinition;
  /** In the job's order; at least one. */
  readonly destinations: readonly AdapterDefinition[];
  /** Undefined: it runs when somebody runs it. */
  readonly schedule?: Schedule;
  /** By name of the destination; one that is not there keeps everything. */
  readonly retention: ReadonlyMap<string, RetentionRules>;
  readonly backupType: BackupType;
  /** Name of the dump format; undefined = the source's default. */
  readonly format?: string;
  readonly filter: TableFilter;
  /** Patterns of the databases that a bundle holds; undefined = the source's own database, without a bundle. */
  readonly databases?: DatabaseFilter;
  readonly compression: { readonly type: CompressionType; readonly level: number };
  readonly encryption?: AdapterDefinition;
  readonly notify: readonly AdapterDefinition[];
  readonly hooks?: Hooks;
  readonly retry: Retry;
  /** Undefined: no backup is ever suspect. */
  readonly anomaly?: AnomalyLimits;
  readonly timeouts: { readonly idleMs?: number; readonly totalMs?: number };
}

export interface Config {
  /** Absolute path of the file; relative paths inside are relative to its folder. */
  readonly file: string;
  readonly folder: string;
  readonly sources: ReadonlyMap<string, AdapterDefinition>;
  readonly destinations: ReadonlyMap<string, AdapterDefinition>;
  readonly encryption: ReadonlyMap<string, AdapterDefinition>;
  readonly notifications: ReadonlyMap<string, AdapterDefinition>;
  readonly jobs: ReadonlyMap<string, Job>;
  /** Options `key` and `trust`, references unresolved. */
  readonly signing?: AdapterDefinition;
  /** How many jobs of one `run` work at a time. */
  readonly maxConcurrentJobs: number;
  /** What to keep beside the backups: the file without its secrets; undefined = nothing. */
  readonly keptText?: string;
  /** Absolute paths of the files that hold its keys and secrets, read or not. */
  readonly secretFiles: readonly string[];
  /** Absolute; undefined = the default state folder. */
  readonly stateFolder?: string;
}
