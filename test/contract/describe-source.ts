/**
 * The contract of `src/source/source.ts` as a test suite. An engine's own file makes databases (`SourceBench`) and calls
 * `describeSource`; everything else is the same for all engines.
 */
import type { SourceType } from '../../src/source/source.ts';

/** One database of the engine under test: a source to dump and a target to restore into. */
export interface TestDatabase {
  /** For `type.open(options, baseFolder)`. */
  readonly options: unknown;
  readonly baseFolder: string;
  /** Puts the engine's nastiest data in; returns what `contents()` must say: tables → row counts. */
  fill(): Promise<Readonly<Record<string, number>>>;
  /** Puts at least 16 MiB of incompressible data in, more than all pipes and buffers between tool and test hold. */
  fillLarge(): Promise<void>;
  /** Everything that is in it (schema and rows, bytes as hex), comparable by `toEqual`. */
  fingerprint(): Promise<unknown>;
  remove(): Promise<void>;
}

/** Servers and folders of one suite. */
export interface SourceBench {
  /** A new empty database, or for engines that are files: a name where none exists yet. */
  makeDatabase(): Promise<TestDatabase>;
  close(): Promise<void>;
}

export interface SourceSuite {
  readonly type: SourceType;
  open(): Promise<SourceBench>;
  /** Formats whose tool works inside `dump()`, before the stream exists (the stream is then a file). */
  readonly preparedFormats?: readonly string[];
  /** Must not appear in the identity, the inspection or the contents. */
  readonly secret?: string;
}

export function describeSource(_name: string, _suite: SourceSuite): void {
  throw new Error('not written yet');
}
