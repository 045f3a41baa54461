import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { acquireRunLock, type RunLock } from '../../lock/run-lock.ts';
import { type BackupState, emptyState, serializeState, stateExtension } from '../../sidecar/state.ts';
import { readState } from './read-state.ts';
import type { StoredBackup } from './stored-backup.ts';

/** Where the writers of one machine meet, and what ends the wait for one another. */
export interface StateWriter {
  readonly stateFolder: string;
  readonly signal: AbortSignal;
}

/**
 * Rewrites the state file beside a backup. `change` gets the state as it is now, not as it was when the backup was
 * listed: a lock that was set meanwhile must not be lost. Throws SIDECAR_INVALID for a state that cannot be read: its
 * backup is protected.
 */
export async function updateState(
  backup: StoredBackup,
  change: (state: BackupState) => Partial<BackupState>,
  writer: StateWriter,
): Promise<BackupState> {
  const turn = await waitForTurn(backup.key, writer);
  try {
    const before = (await readState(backup.on, backup.key, writer.signal)) ?? emptyState;
    const state = { ...before, ...change(before) };
    await backup.on.destination.replace(backup.key + stateExtension, serializeState(state), { signal: writer.signal });
    return state;
  } finally {
    await turn?.release();
  }
}

/**
 * Two that read, change and write one state at once would lose what one of them wrote: a `lock` beneath the result of a
 * `verify`. One at a time, between the processes of a machine; where no lock can be had, the state is written without.
 */
async function waitForTurn(key: string, { stateFolder, signal }: StateWriter): Promise<RunLock | undefined> {
  const name = `state~${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  const holder = { executionId: name, host: hostname(), pid: process.pid, command: `write the state of ${key}` };
  return acquireRunLock({ stateFolder, name, holder, wait: true, signal }).catch(() => {
    signal.throwIfAborted();
    return undefined;
  });
}
