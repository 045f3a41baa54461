/** A verified stream into a private file: for restores that need a file, and for `download` and `restore --output`. */
import { randomUUID } from 'node:crypto';
import { link, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { diskError } from '../../disk-error.ts';
import { DbBackupError } from '../../errors.ts';

/**
 * Writes to `path` (0600), which must not exist; a stream that errors leaves nothing behind. `flush`: onto the disk,
 * which a file that is thrown away after use does not need.
 */
export async function spool(stream: Readable, path: string, signal: AbortSignal, flush = false): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    await pipeline(stream, file.createWriteStream({ flush, highWaterMark: 1024 * 1024 }), { signal });
  } catch (error) {
    stream.destroy();
    await rm(path, { force: true });
    throw diskError(error, path);
  }
}

/** Like `spool`, but the file appears under its name only when it is whole. Throws OBJECT_EXISTS, never overwrites. */
export async function writeNewFile(stream: Readable, path: string, signal: AbortSignal): Promise<void> {
  await refuseExisting(path, stream);
  const temporary = join(dirname(path), `.dbbackup-${process.pid}-${randomUUID().slice(0, 8)}.part`);
  try {
    await spool(stream, temporary, signal, true);
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? exists(path) : error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function refuseExisting(path: string, stream: Readable): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  stream.destroy();
  throw exists(path);
}

function exists(path: string): DbBackupError {
  return new DbBackupError('OBJECT_EXISTS', `${basename(path)} exists already: ${path}`, {
    hint: 'Nothing was overwritten. Choose another name with --output, or move the file away.',
  });
}
