import { type BackupState, parseState, stateExtension, stateLimit } from '../../sidecar/state.ts';
import { ifThere, readObject } from './read-object.ts';
import type { OpenDestination } from './stored-backup.ts';

/** The state as it is now beside a data object; undefined when there is none. Throws SIDECAR_INVALID. */
export async function readState(
  on: OpenDestination,
  key: string,
  signal?: AbortSignal,
): Promise<BackupState | undefined> {
  const stateKey = key + stateExtension;
  const content = await ifThere(readObject(on.destination, stateKey, stateLimit, signal));
  return content && parseState(content, `${on.name}:${stateKey}`);
}
