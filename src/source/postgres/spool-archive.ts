/**
 * An archive into a file, as several workers need it. pg_dump leaves out where each table's data begins when its output
 * cannot be rewound, and every worker of pg_restore then reads its way through all that lies before its next table. Here
 * it is noted as it passes and written in afterwards, as pg_dump itself does into a file.
 * Source: WriteOffset of pg_backup_archiver.c, _CloseArchive of pg_backup_custom.c.
 */
import { closeSync, createWriteStream, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { diskError } from '../../disk-error.ts';
import { attempt } from '../attempt.ts';
import { ArchiveWalker, type Pointer } from './archive-walker.ts';
import { joinPieces } from './join-pieces.ts';

/** Bytes that may wait while a write is under way. */
const highWaterMark = 4 * 1024 * 1024;

/** Into `path`, which must not exist; ends well only when a whole archive has come. A failure leaves nothing behind. */
export async function spoolArchive(stream: Readable, path: string, signal: AbortSignal): Promise<void> {
  try {
    const walker = new ArchiveWalker({ joins: true });
    const writer = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark });
    await pipeline(stream, walkedBy(walker), writer, { signal });
    writeIn(path, walker.pointers());
  } catch (error) {
    stream.destroy();
    await rm(path, { force: true });
    throw diskError(error, path);
  }
}

/** A few bytes for each table, into what lies in memory still. */
function writeIn(path: string, pointers: readonly Pointer[]): void {
  const file = openSync(path, 'r+');
  try {
    for (const { at, bytes } of pointers) writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}

function walkedBy(walker: ArchiveWalker): Transform {
  return new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => {
        walker.push(chunk);
        this.push(joinPieces(chunk, walker.runs()));
      });
    },
    flush: (done) => attempt(done, () => walker.finish()),
  });
}
