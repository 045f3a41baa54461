import { DbBackupError, messageOf } from './errors.ts';

/** What a failed write to a working file in the state folder is called; other errors as they are. */
export function diskError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof DbBackupError || code === undefined || code === 'ABORT_ERR') return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new DbBackupError(full ? 'DISK_FULL' : 'TARGET_FAILED', `writing ${path} failed: ${messageOf(error)}`, {
    cause: error,
    hint: full ? 'Free some space, or set DBBACKUP_STATE_DIR to a larger disk.' : undefined,
  });
}
