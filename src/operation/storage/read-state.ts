import { DbBackupError } from '../../errors.ts';
import { type BackupState, parseState, stateExtension, stateLimit } from '../../sidecar/state.ts';
import { readObject } from './read-object.ts';
import type { OpenDestination } from './stored-backup.ts';

/** The state as it is now beside a data object; undefined when there is none. Throws SIDECAR_INVALID. */
export async function readState(
  on: OpenDestination,
  key: string,
  signal?: AbortSignal,
): Promise<BackupState | undefined> {
  const stateKey = key + stateExtension;
  try {
    return parseState(await readObject(on.destination, stateKey, stateLimit, signal), `${on.name}:${stateKey}`);
  } catch (error) {
    if (error instanceof DbBackupError && error.code === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}
