/**
 * Where a key lives on disk, and the folders on the way.
 * Guarantees: a key never leaves the root, not through `..` and not through a symbolic link below the root (the root
 * itself may be one: that is the user's own choice); folders made here are 0700 and durable.
 */
import type { Stats } from 'node:fs';
import { lstat, mkdir, open, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { assertKey } from '../key.ts';
import { isTemporaryName } from '../temporary-name.ts';
import { errnoOf, isMissing } from './local-error.ts';
import { isUnmounted } from './mount.ts';

export interface Place {
  readonly key: string;
  readonly root: string;
  /** The folders between root and file, outermost first; empty when the file stands in the root. */
  readonly folders: readonly string[];
  readonly path: string;
}

/** Throws KEY_UNSAFE for a key that would leave the root, or that is one of our temporary names. */
export function placeOf(root: string, key: string): Place {
  assertKey(key);
  const parts = key.split('/');
  if (parts.some(isTemporaryName)) {
    throw new DbBackupError('KEY_UNSAFE', `${JSON.stringify(key)} is a name that dbbackup keeps for unfinished files`);
  }
  const folders = parts.slice(0, -1).map((_, index) => join(root, ...parts.slice(0, index + 1)));
  return { key, root, folders, path: join(root, ...parts) };
}

/** `lstat`, with undefined for what does not exist. */
export async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** True when every folder exists and is a real one; throws KEY_UNSAFE at a symbolic link. */
export async function haveFolders(folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const found = await lstatIfThere(folder);
    if (found?.isSymbolicLink()) throw linkRefused(folder);
    if (!found?.isDirectory()) return false;
  }
  return true;
}

/** Makes the missing folders of a place, root included. */
export async function makeFolders({ root, folders }: Place): Promise<void> {
  await refuseUnmounted(root);
  const first = await makeFolder(root);
  if (first !== undefined) await syncUpwards(dirname(root), dirname(first));
  for (const folder of folders) await makeInside(folder);
}

/** A folder that a disk was to bring is never made: its owner may make it, if the system's disk is meant. */
async function refuseUnmounted(root: string): Promise<void> {
  if ((await lstatIfThere(root)) !== undefined || !(await isUnmounted(root))) return;
  throw new DbBackupError('DESTINATION_FAILED', `there is no ${root}, and no disk is mounted above it`, {
    hint: `Mount the disk (findmnt shows what is mounted); if the disk of the system is meant: mkdir -p -m 700 '${root}'`,
    retryable: false,
  });
}

async function makeInside(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if ((await lstat(folder)).isSymbolicLink()) throw linkRefused(folder);
  }
}

/**
 * Makes the name of a file durable: its folder and every folder up to the root, because one that another process has
 * just made may not be durable yet.
 */
export async function syncFolders({ root, path }: Place): Promise<void> {
  await syncUpwards(dirname(path), root);
}

/**
 * The same after a deletion. A folder that a deletion beside us has removed, empty as it was, has nothing to sync; the
 * one above it has.
 */
export async function syncRemainingFolders({ root, folders }: Place): Promise<void> {
  for (const folder of [root, ...folders].toReversed()) {
    await syncFolder(folder).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

async function syncUpwards(from: string, to: string): Promise<void> {
  await syncFolder(from);
  if (from !== to) await syncUpwards(dirname(from), to);
}

/** fsync(2) of a folder. A failure is final: the kernel may have dropped what it could not write. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some FUSE and network file systems cannot sync a folder and say so in this way; PostgreSQL lets it pass as well.
    if (errnoOf(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/** Removes folders that became empty, innermost first, if they look like ours: 0700 and of our user. Never the root. */
export async function removeEmptyFolders({ folders }: Place): Promise<void> {
  try {
    for (const folder of folders.toReversed()) {
      const { mode, uid } = await lstat(folder);
      if ((mode & 0o777) !== 0o700 || uid !== process.getuid?.()) return;
      await rmdir(folder);
    }
  } catch {
    // Tidying only. Not empty, a mount point, or gone already: the folder stays as it is.
  }
}

function linkRefused(folder: string): DbBackupError {
  return new DbBackupError('KEY_UNSAFE', `${folder} is a symbolic link, and dbbackup follows none below its folder`, {
    hint: "Put a real folder there (a bind mount will do), or set the destination's path to where the link points.",
  });
}
