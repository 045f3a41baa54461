import type { FileHandle } from 'node:fs/promises';
import { DbBackupError } from '../../errors.ts';
import type { Part } from './rdb-walker.ts';

/** Small, since the entries of a whole piece are held at once. */
export const pieceBytes = 64 * 1024;

/** A part of a file that has been verified, without its end all of it; each piece only until the next one is asked for. */
export async function* piecesOf(file: FileHandle, { start, end }: Part): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, end - start));
  for (let position = start; position < end; ) {
    const wanted = Math.min(buffer.length, end - position);
    const { bytesRead } = await file.read(buffer, 0, wanted, position);
    if (bytesRead === 0) throw changed('the dump');
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** What is wrong with the file now happened since. */
export function changed(what: string): DbBackupError {
  return new DbBackupError('INTEGRITY', `${what} changed while it was being restored`);
}
