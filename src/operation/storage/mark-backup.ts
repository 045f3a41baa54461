/**
 * `lock`, `unlock`, `accept`: what a person says of a backup, noted in its state file. Guarantees: the note is read back,
 * so that one that crossed with a deletion is told, not believed.
 */
import { DbBackupError } from '../../errors.ts';
import { type BackupState, stateExtension } from '../../sidecar/state.ts';
import { openDestination } from '../open-adapter.ts';
import { refuseUnusable } from '../restore/refuse-unusable.ts';
import type { Runtime } from '../runtime.ts';
import { resolveBackup } from './find-backup.ts';
import { findBackup } from './list-backups.ts';
import { describeBackup, type StoredBackup } from './stored-backup.ts';
import { updateState } from './update-state.ts';

export type Mark = 'lock' | 'unlock' | 'accept';

export interface MarkResult {
  readonly marked: readonly StoredBackup[];
  /** Copies on other destinations that could not be reached or marked. */
  readonly failures: readonly { readonly destination: string; readonly error: unknown }[];
}

/** One copy when `reference` names it (a path, `destination:key`), otherwise every copy of the backup. */
export async function markBackup(
  reference: string,
  mark: Mark,
  reason: string | undefined,
  runtime: Runtime,
): Promise<MarkResult> {
  const first = await resolveBackup(reference, runtime);
  const marked = [await write(first, mark, reason, runtime)];
  const failures: { destination: string; error: unknown }[] = [];
  for (const name of placesOfCopies(first, reference, runtime)) {
    try {
      const copy = await findCopy(first, name, runtime);
      if (copy) marked.push(await write(copy, mark, reason, runtime));
    } catch (error) {
      runtime.signal.throwIfAborted();
      failures.push({ destination: name, error });
    }
  }
  return { marked, failures };
}

function placesOfCopies(first: StoredBackup, reference: string, runtime: Runtime): readonly string[] {
  const known = [...(runtime.config?.destinations.keys() ?? [])];
  const namesOneCopy = reference === describeBackup(first) || !known.includes(first.on.name);
  return namesOneCopy ? [] : known.filter((name) => name !== first.on.name);
}

async function findCopy(of: StoredBackup, destination: string, runtime: Runtime): Promise<StoredBackup | undefined> {
  const definition = runtime.config?.destinations.get(destination);
  if (!definition || !of.sidecar) return undefined;
  const found = await findBackup(await openDestination(definition, runtime), of.key, runtime.signal);
  return found.sidecar?.id === of.sidecar.id ? found : undefined;
}

async function write(
  backup: StoredBackup,
  mark: Mark,
  reason: string | undefined,
  { stateFolder, signal }: Runtime,
): Promise<StoredBackup> {
  if (backup.condition !== 'damaged') refuseUnusable(backup);
  const at = new Date().toISOString();
  await updateState(backup, (state) => noteOf(backup, state, mark, { at, reason }), { stateFolder, signal });
  const { state, object, sidecar } = await findBackup(backup.on, backup.key, signal);
  const holds = mark === 'unlock' ? !state?.locked : state?.[mark === 'lock' ? 'locked' : 'accepted']?.at === at;
  const isThere = object !== undefined && (sidecar !== undefined || !backup.sidecar);
  if (holds && isThere && !state?.deleting) return { ...backup, state };
  // A note beside nothing would stay for ever.
  if (!object && !sidecar) await backup.on.destination.delete(backup.key + stateExtension);
  throw new DbBackupError('OBJECT_MISSING', `${mark} came too late: ${describeBackup(backup)} is being deleted`, {
    hint: 'Another destination may still hold it: dbbackup list.',
  });
}

function noteOf(
  backup: StoredBackup,
  state: BackupState,
  mark: Mark,
  note: { at: string; reason?: string },
): Partial<BackupState> {
  if (mark === 'lock') return { locked: note };
  if (mark === 'unlock') return { locked: undefined };
  if (state.suspect) return { accepted: note };
  throw new DbBackupError('USAGE', `${describeBackup(backup)} is not suspect: there is nothing to accept`);
}
