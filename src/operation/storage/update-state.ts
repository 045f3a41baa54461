import { type BackupState, emptyState, serializeState, stateExtension } from '../../sidecar/state.ts';
import { readState } from './read-state.ts';
import type { StoredBackup } from './stored-backup.ts';

/**
 * Rewrites the state file beside a backup. `change` gets the state as it is now, not as it was when the backup was
 * listed: a lock that was set meanwhile must not be lost. Throws SIDECAR_INVALID for a state that cannot be read: its
 * backup is protected.
 */
export async function updateState(
  backup: StoredBackup,
  change: (state: BackupState) => Partial<BackupState>,
  signal: AbortSignal,
): Promise<BackupState> {
  const before = (await readState(backup.on, backup.key, signal)) ?? emptyState;
  const state = { ...before, ...change(before) };
  await backup.on.destination.replace(backup.key + stateExtension, serializeState(state), { signal });
  return state;
}
