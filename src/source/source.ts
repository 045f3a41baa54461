/**
 * Contract of a source: what can be dumped, and restored into. One folder per engine; `all.ts` lists them.
 *
 * Obligations that matter more than the shape:
 * - the *end* of a dump's stream means: the tool exited 0 and the end-of-dump check passed. In every other case the
 *   stream errors. Every upload library takes EOF for success, so EOF is held back until then;
 * - a restore's input ends only after every byte has been authenticated and its length and hash have matched; on an
 *   upstream error the importing program is killed before its stdin is closed, and the target is as it was before;
 * - nothing secret on argv, in messages, in `Dump` or in `Inspection`.
 */
import type { Duplex, Readable } from 'node:stream';
import type { ZodType } from 'zod';
import type { Finding } from '../finding.ts';
import type { SourceSetup } from '../setup.ts';

export type BackupType = 'full' | 'schema' | 'data';

/** Table and schema patterns, in the engine's own pattern language. Empty lists mean "no filter". */
export interface TableFilter {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly includeSchemas?: readonly string[];
  readonly excludeSchemas?: readonly string[];
}

/** What the adapter's dump format allows on the way back; asked before anything is opened. */
export interface DumpFormat {
  /** As in the sidecar's `artifact.format`: `sqlite`, `sql`, `custom`, … */
  readonly name: string;
  /** With the dot: `.sqlite`, `.sql`, `.dump`. Unique within a source type. */
  readonly extension: string;
  /**
   * `stream`: the importer holds back its commit until the input has ended, so it may read while bytes are still being
   * verified. `file`: the restore needs the whole, verified dump in a file.
   */
  readonly restoreFrom: 'stream' | 'file';
  readonly restoreTables: boolean;
  /** Restores with more than one worker (`--jobs`); a source that needs a file for it makes one. */
  readonly parallelRestore: boolean;
}

/** Explicit, read when the config is read (exit 2), not in the middle of a run. */
export interface SourceCapabilities {
  /** The first is the default. */
  readonly formats: readonly DumpFormat[];
  readonly backupTypes: readonly BackupType[];
  readonly tableFilter: boolean;
  readonly schemaFilter: boolean;
  /** Flags of `restore` that this engine understands. */
  readonly restoreOptions: readonly RestoreOption[];
  /** The engine's servers hold several databases, and `Source.server` is there: jobs may say `databases`. */
  readonly bundle?: BundleCapability;
}

export interface BundleCapability {
  /** Of what belongs to a server and to none of its databases (roles …); undefined where there is no such thing. */
  readonly globals?: DumpFormat;
}

export type RestoreOption = 'database' | 'create' | 'clean' | 'dataOnly' | 'schemaOnly' | 'noOwner' | 'noPrivileges';

/** What every call gets from the operation that makes it. */
export interface SourceContext {
  /** Aborted on Ctrl-C, on a time-out, or when another stage has failed. */
  readonly signal: AbortSignal;
  /** Longest silence of a tool in ms; undefined = no limit. */
  readonly idleTimeoutMs?: number;
  /** A private folder (0700) that lives as long as the execution; the caller removes it. Made at the first call. */
  temporaryFolder(): Promise<string>;
  /** A line for the execution's log (and, for warnings, for the user). */
  log(level: 'info' | 'warning', line: string): void;
  /** How far a restore from a file has come, in bytes of the dump; the others are counted where they pass. */
  progress?(rawBytes: number, storedBytes: number, total: { readonly bytes: number; readonly exact: boolean }): void;
  /** What of dbbackup itself lies on this machine; for sources that are folders of it. */
  readonly own?: OwnPlaces;
}

/** Absolute paths, which need not exist. */
export interface OwnPlaces {
  /**
   * Where backups are stored, and the state folder. No dump holds one that lies inside its folder, or each backup would
   * hold all earlier ones; it tells what it left out. No restore replaces one.
   */
  readonly folders: readonly string[];
  /** Those of the folders that this very run writes to: a dump of one as a whole is refused. */
  readonly written: readonly string[];
  /** Files with the config's keys and secrets. A dump holds them, as they may be the only copy, and warns. */
  readonly secretFiles: readonly string[];
}

/** Frozen into the sidecar; never holds credentials. */
export interface SourceIdentity {
  /**
   * Parts of the fingerprint: type, host, port, database or absolute path. Hashed by the sidecar room. What lies on this
   * machine (a path, a socket, localhost) takes the machine's host name, so that two machines with the same path, job
   * and destination never prune each other's backups.
   */
  readonly fingerprintParts: readonly string[];
  /** For people: `shop.sqlite`, `postgres://db.internal:5432/shop`. No password. */
  readonly label: string;
}

/** Answer of `inspect()`; throws TOOL_MISSING, TOOL_TOO_OLD, AUTHENTICATION_FAILED … with the fix in `hint`. */
export interface Inspection {
  readonly serverVersion?: string;
  /** The dump tool and its version, as `pg_dump 15.18`. */
  readonly tool: string;
  readonly toolVersion: string;
  readonly databases: readonly string[];
  /** Size of the dump to come in bytes, roughly; undefined when it cannot be known. */
  readonly estimatedBytes?: number;
  /** Things the user should know and that do not stop a run. */
  readonly warnings: readonly string[];
}

export interface DumpRequest {
  readonly format: DumpFormat;
  readonly backupType: BackupType;
  readonly filter: TableFilter;
}

/** Tables → row counts (`null` where it was not counted), per database. */
export interface DatabaseContents {
  readonly name: string;
  readonly tables: Readonly<Record<string, number | null>>;
  /** Facts about the database worth keeping: encoding, collation, extensions, user_version … */
  readonly properties?: Readonly<Record<string, string | number | readonly string[]>>;
}

export interface Dump {
  /** Its end is the proof of a complete dump; destroying it stops the tool and its children. */
  readonly stream: Readable;
  /** Exact size of the stream where it is known before it starts (a file). */
  readonly totalBytes?: number;
  /** What is inside, in the dump's own snapshot. Call only after the stream has ended. */
  contents(): Promise<readonly DatabaseContents[]>;
}

/** The verified dump on the way back. */
export type RestoreInput =
  | { readonly kind: 'stream'; readonly stream: Readable }
  | { readonly kind: 'file'; readonly path: string };

export interface RestoreRequest {
  readonly format: DumpFormat;
  /** `stream` where the format's `restoreFrom` allows it, otherwise `file`. */
  readonly input: RestoreInput;
  /** Name of the target database, where it differs from the source's own. */
  readonly database?: string;
  readonly create: boolean;
  /** Consent to replace what is in the target. */
  readonly clean: boolean;
  readonly dataOnly: boolean;
  readonly schemaOnly: boolean;
  readonly noOwner: boolean;
  readonly noPrivileges: boolean;
  /** Empty = everything. */
  readonly tables: readonly string[];
  readonly jobs: number;
  /** First six digits of the backup's id, for `<db>_restore_<id>`. */
  readonly restoreId: string;
  /** What the sidecar tells of the database: one that is made should be like it. */
  readonly properties?: DatabaseContents['properties'];
}

/** As much of a restore as is known before its backup has been found. */
export type ApproachRequest = Pick<RestoreRequest, 'database' | 'create' | 'clean' | 'jobs'>;

/** The way to a target, held open. */
export interface Approach {
  /** Resolves when the programs that make it have been started, or cannot be. Never rejects. */
  readonly underWay: Promise<unknown>;
  /** Resolves when nothing of it is left. Never rejects. */
  close(): Promise<void>;
}

export interface RestoreTarget {
  /** For the summary: where the data is now. */
  readonly label: string;
  /** True when the target already holds data that the restore would replace or mix with. */
  readonly hasData: boolean;
  /** `hasData` is a precaution: nobody can tell. */
  readonly isUnknown?: boolean;
}

export interface RestoreOutcome {
  /** Where the data is now. */
  readonly label: string;
  readonly warnings: readonly string[];
}

/** What `dbbackup check` asks of a source. */
export interface CheckContext extends SourceContext {
  /** Names of the dump formats that jobs want of it. */
  readonly formats: readonly string[];
  /** True when every job leaves something out, so that what cannot be read may be what nobody wants. */
  readonly filtered: boolean;
}

/** An opened source. One instance serves one execution. */
export interface Source {
  readonly identity: SourceIdentity;
  inspect(context: SourceContext): Promise<Inspection>;
  dump(request: DumpRequest, context: SourceContext): Promise<Dump>;
  /**
   * Makes the way to the target (programs found, connections open) while the backup is being looked for, so that what
   * follows is answered at once. Changes nothing and throws nothing: what is wrong, `examineTarget` will say. The caller
   * closes it.
   */
  approach?(request: ApproachRequest, context: SourceContext): Approach;
  /**
   * Looks at the target and changes nothing. Throws when the restore is certain to fail (TARGET_IN_USE, rights, tool
   * missing, an option the format does not allow). Called before a byte of the backup is read.
   */
  examineTarget(request: Omit<RestoreRequest, 'input'>, context: SourceContext): Promise<RestoreTarget>;
  /** Stops at the first error with the old data intact; throws TARGET_NOT_EMPTY when there is data and no `clean`. */
  restore(request: RestoreRequest, context: SourceContext): Promise<RestoreOutcome>;
  /** Where the options say more of the way back than the type's own `recovery`. No credentials. */
  recovery?(): RecoveryStep;
  /**
   * Everything that a dump needs, for `dbbackup check`: tools and versions, connection, rights, size. Changes nothing.
   * What it throws is shown as a failure. Without it `inspect` is asked.
   */
  check?(context: CheckContext): AsyncIterable<Finding>;
  /** There for engines with the capability `bundle`: all that the operation needs to back up several databases as one. */
  readonly server?: DatabaseServer;
}

export interface DatabaseServer {
  /** Of the server, whatever database of it the options name. */
  readonly identity: SourceIdentity;
  /** Names of all databases that hold users' data: without templates and what is the engine's own. */
  databases(context: SourceContext): Promise<readonly string[]>;
  /** The same source at another database of its server; its `restore` and `examineTarget` mean that database, too. */
  at(database: string): Source;
  /** Undefined where there is no such thing, or where the options leave it out. */
  readonly globals?: ServerGlobals;
}

/** What belongs to a server and to none of its databases. Restored first. */
export interface ServerGlobals {
  dump(context: SourceContext): Promise<Dump>;
  /** Creates what is missing and leaves alone what exists: the warnings name it. */
  restore(input: Readable, context: SourceContext): Promise<RestoreOutcome>;
}

/** What the sidecar's `recover` recipe needs from the engine; shell-quoted by the caller where it says so. */
export interface RecoveryStep {
  /** Debian packages that provide the programs. */
  readonly packages: readonly string[];
  /** One shell command that loads the decompressed dump; `file` is a shell-quoted path. */
  command(file: string): string;
  /** What to know before it is run; one line. */
  note?(file: string): string;
}

/** One line of `all.ts`: everything about an engine that is known without opening it. */
export interface SourceType<Options = unknown> {
  readonly type: string;
  /** Strict zod object of the options in the config, without `type`. Relative paths are resolved by `open`. */
  readonly options: ZodType<Options>;
  /** Capabilities may depend on the options (a chosen format); without options: all that the engine can. */
  capabilities(options?: Options): SourceCapabilities;
  /** Makes the adapter; contacts nothing. `baseFolder`: the config file's folder, for relative paths. */
  open(options: Options, baseFolder: string): Source;
  /** Options for a `--to` argument (`postgres://…`, a path), or undefined when it is not this engine's. */
  fromTarget(target: string): Options | undefined;
  /** A pass-through that errors with DUMP_INCOMPLETE or DUMP_EMPTY unless a whole dump has passed: for `verify`. */
  endOfDumpCheck(format: DumpFormat): Duplex;
  /**
   * `withGlobals`: the step of `capabilities.bundle.globals` goes before, so that roles are there. `toolVersion`: of the
   * program that dumped.
   */
  recovery(format: DumpFormat, databases: readonly string[], withGlobals?: boolean, toolVersion?: string): RecoveryStep;
  /** How the wizards (`init`, `job add`) ask for the options; without it they do not offer the engine. */
  readonly setup?: SourceSetup;
}
