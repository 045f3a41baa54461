/**
 * Removes one backup: state `deleting` first, then the data, then sidecar and state, so that a crash in between is seen
 * and finished later, and nothing half-deleted is ever offered for restore.
 */
import { DbBackupError, wrapError } from '../../errors.ts';
import { sidecarExtension } from '../../sidecar/sidecar.ts';
import { stateExtension } from '../../sidecar/state.ts';
import { withExecution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
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
    await removeObjects(backup, execution.signal);
    return {
      value: { executionId: execution.id, backup },
      report: { backupId: backup.sidecar?.id, artifact: backup.key },
    };
  });
}

export async function removeObjects(backup: StoredBackup, signal: AbortSignal): Promise<void> {
  const { destination } = backup.on;
  try {
    await updateState(backup, { deleting: { at: new Date().toISOString() } }, signal);
    await destination.delete(backup.key);
    await destination.delete(backup.key + sidecarExtension);
    await destination.delete(backup.key + stateExtension);
  } catch (cause) {
    throw wrapError(cause, 'DESTINATION_FAILED', `deleting ${describeBackup(backup)} failed`);
  }
}

function refuseProtected(backup: StoredBackup): void {
  if (backup.condition === 'unreadable') {
    throw new DbBackupError('UNSUPPORTED', `${describeBackup(backup)} is protected: ${backup.problem}`, {
      hint: 'A backup whose sidecar or state cannot be read is never deleted by dbbackup. Remove its files by hand if you are sure.',
    });
  }
  if (backup.state?.locked) {
    throw new DbBackupError(
      'UNSUPPORTED',
      `${describeBackup(backup)} is locked: ${backup.state.locked.reason ?? 'no reason given'}`,
      {
        hint: 'dbbackup unlock makes it deletable again.',
      },
    );
  }
}
