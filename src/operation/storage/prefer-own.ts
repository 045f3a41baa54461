import { areOfSeveralSources, isOwn } from '../retention/candidate.ts';
import { ownFingerprint } from '../retention/own-fingerprint.ts';
import type { Runtime } from '../runtime.ts';
import { isAhead, type StoredBackup, startedAt, whyAhead } from './stored-backup.ts';

/** Newer than what was chosen, and why it was not. */
export interface PassedOver {
  readonly backup: StoredBackup;
  /** Follows its name in a sentence. */
  readonly why: string;
}

export interface Preference {
  readonly chosen: readonly StoredBackup[];
  readonly passedOver?: PassedOver;
  /** All that was chosen is of another source than the job's, as far as that can be told. */
  readonly isForeign: boolean;
}

/**
 * Where several machines store under one job name, the newest may be of another's source; and one begun in the future
 * was made by a clock that was ahead, so that what looks older may be newer. Both are taken only where nothing else is
 * left: after a loss the new machine may well be another, or its clock behind.
 */
export async function preferOwn(good: readonly StoredBackup[], job: string, runtime: Runtime): Promise<Preference> {
  const now = Date.now();
  const present = orAll(good, (each) => !isAhead(each, now));
  const fingerprint = await fingerprintAmong(present, job, runtime);
  const chosen = fingerprint === undefined ? present : orAll(present, (each) => isOwn(each, fingerprint));
  const isForeign = fingerprint !== undefined && !chosen.some((each) => isOwn(each, fingerprint));
  const [left] = good
    .filter((each) => !chosen.includes(each))
    .sort((a, b) => startedAt(b).getTime() - startedAt(a).getTime());
  if (!left) return { chosen, isForeign };
  const why = present.includes(left) ? whyForeign(left) : `was ${whyAhead}`;
  return { chosen, isForeign, passedOver: { backup: left, why } };
}

/** Follows the name of a backup in a sentence. */
export function whyForeign({ sidecar }: StoredBackup): string {
  return `is of another source (${sidecar?.source.label ?? sidecar?.source.name} on ${sidecar?.host})`;
}

function orAll(backups: readonly StoredBackup[], wanted: (backup: StoredBackup) => boolean): readonly StoredBackup[] {
  const found = backups.filter(wanted);
  return found.length > 0 ? found : backups;
}

/**
 * Of the job's own source, where another machine may have had a part in it. Undefined where that cannot be told: a
 * restore needs no secrets of the source.
 */
async function fingerprintAmong(
  backups: readonly StoredBackup[],
  name: string,
  runtime: Runtime,
): Promise<string | undefined> {
  const job = runtime.config?.jobs.get(name);
  const areAllFromHere = backups.every(({ sidecar }) => sidecar?.host === runtime.host);
  if (!job || (areAllFromHere && !areOfSeveralSources(backups))) return undefined;
  return ownFingerprint(job, runtime).catch(() => {
    runtime.signal.throwIfAborted();
    return undefined;
  });
}
