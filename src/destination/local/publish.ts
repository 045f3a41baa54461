/**
 * From the temporary name to the final one.
 * Guarantees: the final name shows the whole file or nothing; `publishNew` overwrites nothing; both resolve after the
 * folders are durable.
 */
import { link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { claimName } from '../temporary-name.ts';
import { errnoOf } from './local-error.ts';
import { lstatIfThere, type Place, syncFolders } from './place.ts';

/** What link(2) says on file systems without hard links: exFAT, many FUSE and network file systems. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Throws OBJECT_EXISTS when the name is taken. After any other error the name is free again. */
export async function publishNew(temporary: string, place: Place): Promise<void> {
  await giveName(temporary, place);
  try {
    await rm(temporary, { force: true });
    await syncFolders(place);
  } catch (error) {
    // Whole, but perhaps not durable: reported as failed, so it must not be found either.
    await rm(place.path, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Puts the temporary file in the place of an older one. */
export async function publishOver(temporary: string, place: Place): Promise<void> {
  await rename(temporary, place.path);
  await syncFolders(place);
}

async function giveName(temporary: string, place: Place): Promise<void> {
  try {
    await link(temporary, place.path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw objectExists(place);
    if (!withoutLinks.has(errnoOf(error) ?? '')) throw error;
    await renameUnderClaim(temporary, place);
  }
}

/**
 * Without links only rename(2) is atomic, and it overwrites. So the writers of one name exclude each other by a claim
 * file, and look before they rename. Between two of ours nothing is overwritten; a foreign program that makes the very
 * same name in the instant between look and rename would lose its file (Node has no RENAME_NOREPLACE). The other way,
 * creating the final name first, would show an empty object to every reader.
 */
async function renameUnderClaim(temporary: string, place: Place): Promise<void> {
  const claim = join(dirname(place.path), claimName(basename(place.path)));
  await takeClaim(claim, place);
  try {
    if ((await lstatIfThere(place.path)) !== undefined) throw objectExists(place);
    await rename(temporary, place.path);
  } finally {
    await rm(claim, { force: true });
  }
}

async function takeClaim(claim: string, place: Place): Promise<void> {
  try {
    await (await open(claim, 'wx', 0o600)).close();
  } catch (error) {
    throw errnoOf(error) === 'EEXIST' ? objectExists(place) : error;
  }
}

/** For a name that is taken, or just being taken by another writer. */
export function objectExists({ key }: Place): DbBackupError {
  return new DbBackupError('OBJECT_EXISTS', `${key} exists already and is never overwritten`, {
    hint: 'Another run published, or is publishing, the same name; what it stored was not touched.',
  });
}
