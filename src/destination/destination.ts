/**
 * Contract of a destination: a flat store of objects under `/`-separated keys. One folder per kind; `all.ts` lists them.
 *
 * Obligations that matter more than the shape:
 * - `put` resolves after the object is durable and visible whole, or rejects and leaves nothing visible under the key;
 *   an errored or aborted stream is never published; an existing object is never overwritten (OBJECT_EXISTS);
 * - a missing object is `undefined` from `stat` and OBJECT_MISSING from `get`, the same for every kind;
 * - keys have passed `assertKey`; an adapter never builds a path from an unchecked key.
 */
import type { Readable } from 'node:stream';
import type { ZodType } from 'zod';
import type { Finding } from '../finding.ts';
import type { DestinationSetup } from '../setup.ts';

export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
  /** Changes whenever the bytes change, where the store has such a thing. */
  readonly etag?: string;
  /** Hex, where the store itself computed it over what it holds. */
  readonly sha256?: string;
}

export interface PutOptions {
  readonly signal: AbortSignal;
  /** Expected bytes, for part sizing and the free-space check; a guess, never a promise. */
  readonly estimatedBytes?: number;
}

export interface GetOptions {
  readonly signal?: AbortSignal;
  /** First byte wanted, from 0. */
  readonly start?: number;
}

/** Something unfinished that is surely ours: a temporary name, an open multipart upload. */
export interface Leftover {
  readonly key: string;
  readonly startedAt: Date;
  readonly bytes?: number;
  /** True when this was to become the object under `key`: how a run recovers what a dead one left. */
  belongsTo(key: string): boolean;
  remove(): Promise<void>;
}

export interface DestinationCapabilities {
  /** The store computes a checksum of what it holds, and `stat` returns it. */
  readonly checksum: boolean;
  /** Small objects that may be read side by side; 32 unless told. A kind that starts a program for each says less. */
  readonly parallelReads?: number;
}

export interface Destination {
  readonly capabilities: DestinationCapabilities;
  /** For people: `./backups`, `s3://bucket/prefix`. No secret. */
  readonly label: string;
  /** Absolute path of the folder of this machine that the objects lie in; undefined for what lies elsewhere. */
  readonly folder?: string;
  /** Streams to a temporary name and publishes at the end. Retries inside, part by part, never the stream. */
  put(key: string, stream: Readable, options: PutOptions): Promise<StoredObject>;
  /** Writes a small object (a state file) whole and atomically, over an older one. */
  replace(key: string, content: Uint8Array, options: PutOptions): Promise<StoredObject>;
  get(key: string, options?: GetOptions): Promise<Readable>;
  stat(key: string): Promise<StoredObject | undefined>;
  /** Every object whose key starts with `prefix` (`''` = all), lazily, in no promised order; temporaries left out. */
  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<StoredObject>;
  /** Removing what is not there is no error. */
  delete(key: string): Promise<void>;
  /** Our unfinished uploads below `folder` (`''` = all, or `a/b/`), of living processes too: the caller decides by age. */
  leftovers(folder?: string): AsyncIterable<Leftover>;
  /** Bytes that can still be stored; undefined where the store does not say. */
  freeBytes(): Promise<number | undefined>;
  /**
   * What is particular to this kind, for `dbbackup check`: settings of the store, room, rights. That objects can be put,
   * read, listed and deleted is tried for every kind by the caller. `folder`: a key under which it may write, and
   * removes what it wrote. What it throws is shown as a failure.
   */
  check?(folder: string, signal: AbortSignal): AsyncIterable<Finding>;
}

/** One line of `all.ts`: everything about a kind that is known without opening it. */
export interface DestinationType<Options = unknown> {
  readonly type: string;
  /** Strict zod object of the options in the config, without `type`. */
  readonly options: ZodType<Options>;
  /** Makes the adapter; contacts nothing. `baseFolder`: the config file's folder, for relative paths. */
  open(options: Options, baseFolder: string): Destination;
  /** How the wizards (`init`, `job add`) ask for the options; without it they do not offer the kind. */
  readonly setup?: DestinationSetup;
}
