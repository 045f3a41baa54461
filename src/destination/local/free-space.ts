/** Room on the disk. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { isMissing } from './local-error.ts';

/** Bytes an ordinary user can still store in `folder`, or in the nearest folder above that exists; undefined where the file system does not say. */
export async function freeBytesAt(folder: string): Promise<number | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return blocks === 0 ? undefined : bavail * bsize;
  } catch (error) {
    if (isMissing(error) && dirname(folder) !== folder) return freeBytesAt(dirname(folder));
    throw error;
  }
}

/** Throws DISK_FULL when the expected bytes do not fit; an unknown size or an unknown room passes. */
export async function assertRoom(folder: string, expected: number | undefined, action: string): Promise<void> {
  if (expected === undefined) return;
  const free = await freeBytesAt(folder);
  if (free === undefined || expected <= free) return;
  throw new DbBackupError(
    'DISK_FULL',
    `${action} refused: about ${mebibytes(expected)} expected, ${mebibytes(free)} free in ${folder}`,
    { hint: 'Free some space, keep fewer backups, or choose another path; nothing was written.' },
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
