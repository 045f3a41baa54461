import { clockToleranceMs } from '../../retention/plan.ts';
import { fingerprintOf, isOwn } from '../retention/candidate.ts';
import { ownFingerprint } from '../retention/own-fingerprint.ts';
import type { Runtime } from '../runtime.ts';
import { type StoredBackup, startedAt } from './stored-backup.ts';

/** Newer than what was chosen, and why it was not. */
export interface PassedOver {
  readonly backup: StoredBackup;
  /** Follows its name in a sentence. */
  readonly why: string;
}

/**
 * Where several machines store under one job name, the newest may be of another's source; and one begun in the future
 * was made by a clock that was ahead, so that what looks older may be newer. Both are taken only where nothing else is
 * left: after a loss the new machine may well be another, or its clock behind.
 */
export async function preferOwn(
  good: readonly StoredBackup[],
  job: string,
  runtime: Runtime,
): Promise<{ readonly chosen: readonly StoredBackup[]; readonly passedOver?: PassedOver }> {
  const latest = Date.now() + clockToleranceMs;
  const present = orAll(good, (each) => startedAt(each).getTime() <= latest);
  const fingerprint = await fingerprintAmong(present, job, runtime);
  const chosen = fingerprint === undefined ? present : orAll(present, (each) => isOwn(each, fingerprint));
  const [left] = good
    .filter((each) => !chosen.includes(each))
    .sort((a, b) => startedAt(b).getTime() - startedAt(a).getTime());
  if (!left) return { chosen };
  const { source, host } = left.sidecar ?? {};
  const why = present.includes(left)
    ? `is of another source (${source?.label ?? source?.name} on ${host})`
    : 'was begun in the future, so some clock was wrong';
  return { chosen, passedOver: { backup: left, why } };
}

function orAll(backups: readonly StoredBackup[], wanted: (backup: StoredBackup) => boolean): readonly StoredBackup[] {
  const found = backups.filter(wanted);
  return found.length > 0 ? found : backups;
}

/** Of the job's own source, where that makes a difference and can be told: a restore needs no secrets of the source. */
async function fingerprintAmong(
  backups: readonly StoredBackup[],
  name: string,
  runtime: Runtime,
): Promise<string | undefined> {
  const job = runtime.config?.jobs.get(name);
  if (!job || new Set(backups.map(fingerprintOf)).size <= 1) return undefined;
  return ownFingerprint(job, runtime).catch(() => {
    runtime.signal.throwIfAborted();
    return undefined;
  });
}
