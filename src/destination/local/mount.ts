/** Whether a folder lies where disks are mounted, and none is: backups there would fill the disk of the system instead. */
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing } from './local-error.ts';

/** Filesystem Hierarchy Standard 3.0, 3.11 and 3.12; macOS. */
const mountFolders = /^\/(mnt|media|run\/media|Volumes)\//;

/** True for `/mnt/nas/backups` on the file system of `/`. `path`: absolute; what is missing counts as its parent. */
export async function isUnmounted(path: string): Promise<boolean> {
  return mountFolders.test(path) && (await isOnSystemDisk(path));
}

export async function isOnSystemDisk(path: string): Promise<boolean> {
  return (await deviceOf(path)) === (await deviceOf('/'));
}

/** Of the nearest folder above that exists. */
async function deviceOf(path: string): Promise<number> {
  const found = await statIfThere(path);
  return found === undefined ? deviceOf(dirname(path)) : found.dev;
}

export async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    // Something is there that leads nowhere, or a file stands where a folder should be.
    return await lstat(path).catch(() => undefined);
  }
}
