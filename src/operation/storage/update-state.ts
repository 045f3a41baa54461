import { type BackupState, emptyState, serializeState, stateExtension } from '../../sidecar/state.ts';
import type { StoredBackup } from './stored-backup.ts';

/** Rewrites the state file beside a backup. Never called for a state that could not be read: that one is protected. */
export async function updateState(
  backup: StoredBackup,
  change: Partial<BackupState>,
  signal: AbortSignal,
): Promise<BackupState> {
  const state = { ...(backup.state ?? emptyState), ...change };
  await backup.on.destination.replace(backup.key + stateExtension, serializeState(state), { signal });
  return state;
}
