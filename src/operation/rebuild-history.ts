/** `history rebuild`: what the sidecars tell of earlier runs, written into a history that has lost them (F27). */
import type { DestinationResult, History, RebuildCounts, RebuiltBackup, Validation } from '../history/history.ts';
import type { Sidecar } from '../sidecar/sidecar.ts';
import type { Runtime } from './runtime.ts';
import { fingerprintsOf } from './storage/fingerprints.ts';
import { type Listing, list } from './storage/list.ts';
import { describeBackup, isSuspect, type StoredBackup } from './storage/stored-backup.ts';

export interface RebuildOutcome extends RebuildCounts {
  /** Backups found, copies counted once. */
  readonly backups: number;
  /** Copies under one id that do not tell the same story: only the first one is believed. */
  readonly conflicts: readonly string[];
  readonly failures: Listing['failures'];
}

/** Adds, never changes or removes; may be repeated. `destinations`: names, empty = all. */
export async function rebuildHistory(
  destinations: readonly string[],
  history: Pick<History, 'rebuild'>,
  runtime: Runtime,
): Promise<RebuildOutcome> {
  const { backups, failures } = await list({ destinations, incomplete: false, fresh: true }, runtime);
  const copies = new Map<string, { sidecar: Sidecar; copies: StoredBackup[] }>();
  const conflicts: string[] = [];
  for (const backup of backups) {
    const { sidecar } = backup;
    if (sidecar === undefined) continue;
    const known = copies.get(sidecar.id);
    if (known === undefined) copies.set(sidecar.id, { sidecar, copies: [backup] });
    else if (known.sidecar.artifact.storedSha256 === sidecar.artifact.storedSha256) known.copies.push(backup);
    else conflicts.push(describeBackup(backup));
  }
  const found = [...copies.values()];
  const counts = history.rebuild(found.map(({ sidecar, copies: all }) => rebuilt(sidecar, all)));
  return { ...counts, backups: found.length, conflicts, failures };
}

function rebuilt(sidecar: Sidecar, copies: readonly StoredBackup[]): RebuiltBackup {
  const { artifact, compression, encryption } = sidecar;
  return {
    backupId: sidecar.id,
    job: sidecar.job.name,
    host: sidecar.host,
    trigger: sidecar.trigger,
    status: copies.some(isSuspect) ? 'suspect' : 'completed',
    startedAt: new Date(sidecar.startedAt),
    finishedAt: new Date(sidecar.finishedAt),
    durationMs: Math.round(sidecar.durationMs),
    rawBytes: artifact.rawBytes,
    storedBytes: artifact.storedBytes,
    rawSha256: artifact.rawSha256,
    storedSha256: artifact.storedSha256,
    artifact: artifact.name,
    backupType: sidecar.backupType,
    filter: sidecar.filter ?? {},
    note: sidecar.note,
    compression: compression.type,
    level: compression.level,
    encryptionFingerprint: encryption && (fingerprintsOf(encryption).join(',') || undefined),
    destinations: copies.map(destinationResult),
    validations: copies.flatMap(validationsOf),
  };
}

function destinationResult({ on, key, object }: StoredBackup): DestinationResult {
  return { name: on.name, type: on.destination.label, status: 'completed', key, size: object?.size };
}

function validationsOf({ on, key, state }: StoredBackup): Omit<Validation, 'backupId'>[] {
  return (state?.verifications ?? []).map(({ at, kind, result, error }) => ({
    at: new Date(at),
    kind,
    key,
    destination: on.name,
    result,
    error,
  }));
}
