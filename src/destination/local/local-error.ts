/** Errors of the file system in the words of the program. */
import { DbBackupError } from '../../errors.ts';

const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const missing = new Set(['ENOENT', 'ENOTDIR']);

const hints: Readonly<Record<string, string>> = {
  EACCES: 'Give the user that runs dbbackup the right to read and write the folder.',
  EPERM: 'Give the user that runs dbbackup the right to read and write the folder.',
  ENOENT: 'The folder has gone, or none can be made at this place: check the path.',
  EROFS: 'The file system is mounted read-only: remount it, or choose another path.',
  ENAMETOOLONG: 'The file system takes no names that long: choose a shorter job name or path.',
  EIO: 'The disk reported an error: look at the kernel log and check the disk before you trust it with backups.',
};

/** The errno name (`ENOENT`) of anything thrown by node:fs. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True when the error only says that the file, or a folder on its way, does not exist. */
export function isMissing(error: unknown): boolean {
  return missing.has(errnoOf(error) ?? '');
}

/** DISK_FULL or DESTINATION_FAILED for an error of the file system; an error of ours stays what it is. */
export function localError(cause: unknown, action: string): DbBackupError {
  if (cause instanceof DbBackupError) return cause;
  const errno = errnoOf(cause) ?? 'unknown error';
  if (fullDisk.has(errno)) {
    return new DbBackupError('DISK_FULL', `${action} failed: no space left (${errno})`, {
      cause,
      hint: 'Free some space, raise the quota, or keep fewer backups; nothing unfinished was left under the name.',
    });
  }
  return new DbBackupError('DESTINATION_FAILED', `${action} failed (${errno})`, { cause, hint: hints[errno] });
}

/** Runs file-system work; what it throws becomes `localError`. */
export async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw localError(error, action);
  }
}
