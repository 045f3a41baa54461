/** A database is its file and what SQLite puts beside it. */
import { open, rm } from 'node:fs/promises';

/** SQLite takes these for part of the database whose name they carry, however old they are. */
export const sideSuffixes = ['-journal', '-wal', '-shm'] as const;

/** Of the link that the worker makes where it needs a simpler name. */
export const linkSuffix = '-link';

export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', ...sideSuffixes, linkSuffix]) await rm(`${path}${suffix}`, { force: true });
}

/** Forces a file, or the names in a folder, onto the disk. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
