/**
 * Tells whoever deletes that a backup is being read (F31). Every reader holds a lock of its own, named for the backup,
 * so that readers do not exclude one another; a dead reader holds nothing. Only between processes that share a state
 * folder: another machine's reader keeps what it has open, as far as its store allows.
 */
import { randomUUID } from 'node:crypto';
import { acquireRunLock, lockNames, probeRunLock, type RunLock, type RunLockRequest } from './run-lock.ts';

/** Take it first, then see that the backup is not marked `deleting`: who deletes does it the other way round. */
export function acquireReaderLock(
  backupId: string,
  request: Omit<RunLockRequest, 'name' | 'wait' | 'onWait'>,
): Promise<RunLock> {
  return acquireRunLock({ ...request, name: `${prefixOf(backupId)}${randomUUID()}`, wait: false });
}

/** True when any process with this state folder, this one included, reads the backup. */
export async function isBeingRead(stateFolder: string, backupId: string): Promise<boolean> {
  const names = (await lockNames(stateFolder)).filter((name) => name.startsWith(prefixOf(backupId)));
  const held = await Promise.all(names.map((name) => probeRunLock(stateFolder, name)));
  return held.includes(true);
}

/** `~` is no character of a job name. */
function prefixOf(backupId: string): string {
  return `backup~${backupId}~`;
}
