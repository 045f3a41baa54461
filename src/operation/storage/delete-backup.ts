/**
 * Removes one backup: state `deleting` first, then the data, then sidecar and state, so that a crash in between is seen
 * and finished later, and nothing half-deleted is ever offered for restore.
 */
import { DbBackupError, wrapError } from '../../errors.ts';
import { isBeingRead } from '../../lock/reader-lock.ts';
import { sidecarExtension } from '../../sidecar/sidecar.ts';
import { type BackupState, stateExtension } from '../../sidecar/state.ts';
import { withExecution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { readState } from './read-state.ts';
import { removeDrafts } from './remove-drafts.ts';
import { describeBackup, type StoredBackup } from './stored-backup.ts';
import { updateState } from './update-state.ts';

export interface DeleteResult {
  readonly executionId: string;
  readonly backup: StoredBackup;
}

/** Asks for consent first; throws CONSENT_REQUIRED, or UNSUPPORTED for a locked or protected backup. */
export async function deleteBackup(backup: StoredBackup, runtime: Runtime): Promise<DeleteResult> {
  const where = describeBackup(backup);
  return withExecution({ kind: 'delete', subject: where }, runtime, async (execution) => {
    refuseProtected(backup);
    await runtime.consent(`Delete ${where}?`);
    execution.step('delete');
    await removeObjects(backup, runtime.stateFolder, execution.signal);
    await removeDrafts([backup], execution);
    return {
      value: { executionId: execution.id, backup },
      report: { backupId: backup.sidecar?.id, artifact: backup.key },
    };
  });
}

/**
 * Without consent and without looking at the rules. Also finishes a deletion that was cut. Throws BUSY, with nothing
 * changed, while a process of this machine reads the backup, and UNSUPPORTED when it was locked meanwhile.
 */
export async function removeObjects(backup: StoredBackup, stateFolder: string, signal: AbortSignal): Promise<void> {
  const { destination } = backup.on;
  try {
    if (backup.condition === 'deleting') await refuseWhileRead(backup, stateFolder);
    else await markDeleting(backup, stateFolder, signal);
    await destination.delete(backup.key);
    await destination.delete(backup.key + sidecarExtension);
    await destination.delete(backup.key + stateExtension);
  } catch (cause) {
    throw wrapError(cause, 'DESTINATION_FAILED', `deleting ${describeBackup(backup)} failed`);
  }
}

/**
 * A reader takes its lock and then looks for the mark; here the mark comes first and then the look for readers, so that
 * at least one of the two sees the other. The same with `lock`, which reads its own writing back.
 */
async function markDeleting(backup: StoredBackup, stateFolder: string, signal: AbortSignal): Promise<void> {
  await refuseWhileRead(backup, stateFolder);
  const deleting = { at: new Date().toISOString() };
  const mark = (state: BackupState) => {
    refuseLocked(backup, state);
    return { deleting };
  };
  await updateState(backup, mark, { stateFolder, signal });
  try {
    await refuseWhileRead(backup, stateFolder);
    refuseLocked(backup, await readState(backup.on, backup.key, signal));
  } catch (error) {
    await updateState(backup, () => ({ deleting: undefined }), { stateFolder, signal });
    throw error;
  }
}

async function refuseWhileRead(backup: StoredBackup, stateFolder: string): Promise<void> {
  if (!backup.sidecar || !(await isBeingRead(stateFolder, backup.sidecar.id))) return;
  throw new DbBackupError('BUSY', `${describeBackup(backup)} is being read by a restore, verify or download`, {
    hint: 'Nothing was deleted. Try again when it has ended; dbbackup status shows what runs.',
    retryable: true,
  });
}

function refuseProtected(backup: StoredBackup): void {
  if (backup.condition === 'unreadable') {
    throw new DbBackupError('UNSUPPORTED', `${describeBackup(backup)} is protected: ${backup.problem}`, {
      hint: 'A backup whose sidecar or state cannot be read is never deleted by dbbackup. Remove its files by hand if you are sure.',
    });
  }
  refuseLocked(backup, backup.state);
}

function refuseLocked(backup: StoredBackup, state: BackupState | undefined): void {
  if (!state?.locked) return;
  const reason = state.locked.reason ?? 'no reason given';
  throw new DbBackupError('UNSUPPORTED', `${describeBackup(backup)} is locked: ${reason}`, {
    hint: 'dbbackup unlock makes it deletable again.',
  });
}
