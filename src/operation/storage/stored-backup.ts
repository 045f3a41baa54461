/**
 * A backup as it lies on one destination: data object, sidecar and state, found by name. The destination is the truth;
 * the history is not asked.
 */
import type { Destination, StoredObject } from '../../destination/destination.ts';
import { clockToleranceMs } from '../../retention/plan.ts';
import type { ArtifactName } from '../../sidecar/artifact-name.ts';
import type { Sidecar } from '../../sidecar/sidecar.ts';
import type { BackupState } from '../../sidecar/state.ts';
import type { CacheFile } from './sidecar-cache.ts';

/** A destination that has been opened, under the name the config gives it (or `local` for a bare path). */
export interface OpenDestination {
  readonly name: string;
  readonly destination: Destination;
  /** The file that remembers its sidecars; undefined for a place that is not in the config. */
  readonly cache?: CacheFile;
}

/**
 * `complete`: data and a valid sidecar that agree on the size. `orphan`: data without a sidecar, which is not a backup
 * (yet). `missing`: a sidecar without its data. `damaged`: size and sidecar disagree. `unreadable`: the sidecar or the
 * state cannot be understood, so the backup is protected. `deleting`: a deletion was cut.
 */
export type BackupCondition = 'complete' | 'orphan' | 'missing' | 'damaged' | 'unreadable' | 'deleting';

export interface StoredBackup {
  readonly on: OpenDestination;
  /** Key of the data object. */
  readonly key: string;
  /** Undefined for a file that does not bear one of our names. */
  readonly name?: ArtifactName;
  readonly object?: StoredObject;
  readonly sidecar?: Sidecar;
  /** The JSON that `sidecar` was parsed from: what a signature speaks for. Not there after a survey. */
  readonly sidecarJson?: unknown;
  readonly state?: BackupState;
  readonly condition: BackupCondition;
  /** Why it is damaged or unreadable. */
  readonly problem?: string;
}

/** `complete`, not suspect and not disproved. Only such a backup is `latest`. */
export function isGood(backup: StoredBackup): boolean {
  return backup.condition === 'complete' && !isSuspect(backup) && !isDisproved(backup);
}

/** Marked by the anomaly guard, and not accepted since. */
export function isSuspect({ state }: StoredBackup): boolean {
  return state?.suspect !== undefined && state.accepted === undefined;
}

/** What failed its last verification is no good backup, whatever its sidecar says. */
export function isDisproved({ state }: StoredBackup): boolean {
  return state?.verifications.at(-1)?.result === 'failed';
}

export function startedAt(backup: StoredBackup): Date {
  if (backup.sidecar) return new Date(backup.sidecar.startedAt);
  return backup.name?.startedAt ?? backup.object?.modifiedAt ?? new Date(0);
}

/** Begun by a clock that was ahead: what looks older may be newer. Judged at `nowMs`. */
export function isAhead(backup: StoredBackup, nowMs: number): boolean {
  return startedAt(backup).getTime() > nowMs + clockToleranceMs;
}

/** Follows the name of such a backup in a sentence. */
export const whyAhead = 'begun in the future, so some clock was wrong';

export function describeBackup(backup: StoredBackup): string {
  return `${backup.on.name}:${backup.key}`;
}
