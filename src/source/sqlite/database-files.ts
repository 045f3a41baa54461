/** A database is its file and what SQLite puts beside it. */
import { open, rm, stat } from 'node:fs/promises';
import { headerBytes } from './database-header.ts';

/** SQLite takes these for part of the database whose name they carry, however old they are. */
export const sideSuffixes = ['-journal', '-wal', '-shm'] as const;

/** Of the link that the worker makes where it needs a simpler name. */
export const linkSuffix = '-link';

export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', ...sideSuffixes, linkSuffix]) await rm(`${path}${suffix}`, { force: true });
}

/** The head and the size of a regular file. Opens nothing else: a pipe or a device could hang or do harm. */
export async function readHead(path: string): Promise<{ readonly content: Buffer; readonly bytes: number }> {
  const { size } = await regularFile(path);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return { content: buffer.subarray(0, bytesRead), bytes: size };
  } finally {
    await file.close();
  }
}

async function regularFile(path: string): Promise<{ readonly size: number }> {
  const found = await stat(path);
  if (found.isFile()) return found;
  throw new Error(`${path} is not a regular file`);
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
