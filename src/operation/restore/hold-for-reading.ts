import { DbBackupError, wrapError } from '../../errors.ts';
import { acquireReaderLock } from '../../lock/reader-lock.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { readState } from '../storage/read-state.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';

/** Keeps retention and `delete` away from a backup until the execution ends (F31). What has no sidecar is not pruned. */
export async function holdForReading(backup: StoredBackup, execution: Execution, runtime: Runtime): Promise<void> {
  if (!backup.sidecar) return;
  const { stateFolder, host } = runtime;
  const where = describeBackup(backup);
  const holder = { executionId: execution.id, host, pid: process.pid, command: `read ${where}` };
  execution.hold(await acquireReaderLock(backup.sidecar.id, { stateFolder, holder, signal: execution.signal }));
  const state = await readState(backup.on, backup.key, execution.signal).catch((cause) => {
    throw wrapError(cause, 'DESTINATION_FAILED', `reading the state of ${where} failed`);
  });
  if (state?.deleting === undefined) return;
  throw new DbBackupError('OBJECT_MISSING', `${where} is being deleted`, { hint: 'Choose another backup.' });
}
