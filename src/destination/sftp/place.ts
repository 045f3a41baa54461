/**
 * Where a key lives on the server, and the folders on the way.
 * Guarantees: a key never leaves the root, not through `..` and not through a symbolic link that stood below the root
 * before (SFTP has no O_NOFOLLOW: who can change the folder while we write can still trick us); folders made here are 0700.
 */
import type { Stats } from 'ssh2';
import { DbBackupError } from '../../errors.ts';
import { assertKey, nameOf } from '../key.ts';
import { isTemporaryName, temporaryName } from '../temporary-name.ts';
import type { Connection } from './connection.ts';
import { isMissing, isUnsupported } from './sftp-error.ts';

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
  const folders = parts.slice(0, -1).map((_, index) => under(root, parts.slice(0, index + 1).join('/')));
  return { key, root, folders, path: under(root, key) };
}

export function under(root: string, key: string): string {
  return root.endsWith('/') ? root + key : `${root}/${key}`;
}

/** A new temporary name beside the final one. */
export function temporaryPath({ folders, root, key }: Place): string {
  return under(folders.at(-1) ?? root, temporaryName(nameOf(key)));
}

/** Not following links; undefined for what does not exist. */
export async function lstatIfThere(connection: Connection, path: string): Promise<Stats | undefined> {
  try {
    return await connection.call<Stats>((sftp, done) => sftp.lstat(path, done));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** True when every folder exists and is a real one; throws KEY_UNSAFE at a symbolic link. */
export async function haveFolders(connection: Connection, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const found = await lstatIfThere(connection, folder);
    if (found?.isSymbolicLink()) throw linkRefused(folder);
    if (!found?.isDirectory()) return false;
  }
  return true;
}

/** Makes the missing folders of a place, root included. */
export async function makeFolders(connection: Connection, { root, folders }: Place): Promise<void> {
  if (await haveFolders(connection, folders.slice(-1))) {
    if (folders.length > 0) return void (await haveFolders(connection, folders));
  }
  const above = root.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  for (const folder of above) {
    if (folder !== '' && folder !== '.' && folder !== '..') await makeFolder(connection, folder, 'links allowed');
  }
  for (const folder of folders) await makeFolder(connection, folder, 'no links');
}

async function makeFolder(connection: Connection, folder: string, links: 'links allowed' | 'no links'): Promise<void> {
  const found = await lstatIfThere(connection, folder);
  if (found?.isSymbolicLink() && links === 'no links') throw linkRefused(folder);
  if (found !== undefined) return;
  try {
    await connection.call((sftp, done) => sftp.mkdir(folder, { mode: 0o700 }, done));
  } catch (error) {
    // Someone else may have made it just now; SFTP has no status of its own for that.
    if (!(await lstatIfThere(connection, folder))?.isDirectory()) throw error;
  }
}

/**
 * Makes the name of a file durable, as far as the server lets us: OpenSSH opens a folder like a file, and
 * fsync@openssh.com then works on it. Other servers refuse, and nothing can be done about it.
 */
export async function syncFolders(connection: Connection, { root, folders }: Place): Promise<void> {
  for (const folder of [root, ...folders].toReversed()) await syncFolder(connection, folder);
}

async function syncFolder(connection: Connection, folder: string): Promise<void> {
  let handle: Buffer;
  try {
    handle = await connection.call<Buffer>((sftp, done) => sftp.open(folder, 'r', done));
  } catch (error) {
    if (connection.lost) throw error;
    return;
  }
  try {
    await connection.call((sftp, done) => sftp.ext_openssh_fsync(handle, done));
  } catch (error) {
    if (connection.lost || !(isUnsupported(error) || isMissing(error))) throw error;
  } finally {
    await connection.call((sftp, done) => sftp.close(handle, done)).catch(() => undefined);
  }
}

/** Removes folders that became empty, innermost first, if they look like ours: 0700. Never the root. */
export async function removeEmptyFolders(connection: Connection, { folders }: Place): Promise<void> {
  try {
    for (const folder of folders.toReversed()) {
      const found = await lstatIfThere(connection, folder);
      if (((found?.mode ?? 0) & 0o777) !== 0o700) return;
      await connection.call((sftp, done) => sftp.rmdir(folder, done));
    }
  } catch {
    // Tidying only. Not empty, or gone already: the folder stays as it is.
  }
}

function linkRefused(folder: string): DbBackupError {
  return new DbBackupError('KEY_UNSAFE', `${folder} is a symbolic link, and dbbackup follows none below its folder`, {
    hint: "Put a real folder there, or set the destination's path to where the link points.",
  });
}
