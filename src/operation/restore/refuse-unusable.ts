import { DbBackupError } from '../../errors.ts';
import type { Runtime } from '../runtime.ts';
import { assertTrusted } from '../signing.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';

/**
 * What must hold before the content of a backup is read: it can be, and a pinned key has signed it. Of a sidecar that
 * contradicts what it stands beside, the signature says more than the contradiction.
 */
export async function assertReadable(backup: StoredBackup, runtime: Runtime): Promise<void> {
  if (backup.condition !== 'damaged') refuseUnusable(backup);
  await assertTrusted(backup, runtime);
  refuseUnusable(backup);
}

/** Throws before anything is read when the destination itself shows that the backup cannot be trusted. */
export function refuseUnusable(backup: StoredBackup): void {
  const where = describeBackup(backup);
  switch (backup.condition) {
    case 'missing':
      throw new DbBackupError('OBJECT_MISSING', `${where}: ${backup.problem}`, {
        hint: 'Another destination may still hold it: dbbackup list.',
      });
    case 'deleting':
      throw new DbBackupError('INTEGRITY', `${where}: ${backup.problem}`, { hint: 'Choose another backup.' });
    case 'damaged':
      throw new DbBackupError('INTEGRITY', `${where} is damaged: ${backup.problem}`, {
        hint: 'Nothing was touched. Choose another backup or another destination: dbbackup list.',
      });
    case 'unreadable':
      throw new DbBackupError('SIDECAR_INVALID', `${where}: ${backup.problem}`, {
        hint: 'If the file itself should be whole, copy it elsewhere and restore it without its sidecar.',
      });
    default:
  }
}
