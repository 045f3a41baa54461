import { Duplex } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { ProgramFailure } from '../../process/process.ts';
import type { CompressionType } from './compression.ts';
import { damaged } from './damaged.ts';

/** How many of the last bytes of the input `isWhole` gets to see. */
const tailBytes = 16;

/**
 * Puts a decoder that is too forgiving under control: its end is passed on only when the input has ended and
 * `isWhole(received bytes, last bytes)` says that nothing of it was left over; its errors become INTEGRITY.
 */
export function wholeDecoder(
  type: CompressionType,
  inner: Duplex,
  isWhole: (received: number, tail: Buffer) => boolean,
): Duplex {
  let received = 0;
  let tail: Buffer = Buffer.alloc(0);
  let inputEnded = false;
  const outer = new Duplex({
    highWaterMark: 256 * 1024,
    write(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      tail = (chunk.length < tailBytes ? Buffer.concat([tail, chunk]) : chunk).subarray(-tailBytes);
      // Errors arrive through the event, once and translated.
      inner.write(chunk, (error) => {
        if (!error) done();
      });
    },
    final(done) {
      inputEnded = true;
      inner.once('finish', () => done());
      inner.end();
    },
    read() {
      inner.resume();
    },
    destroy(error, done) {
      if (inner.closed) return done(error);
      inner.once('close', () => done(error));
      inner.destroy(error ?? undefined);
    },
  });
  inner.pause();
  inner.on('data', (chunk: Buffer) => {
    if (!outer.push(chunk)) inner.pause();
  });
  inner.on('error', (error) => outer.destroy(translate(type, error)));
  inner.on('end', () => {
    if (inputEnded && isWhole(received, tail)) outer.push(null);
    else outer.destroy(damaged(type, 'there are bytes after its end'));
  });
  return outer;
}

/** A program that exits by itself has judged the data; one that was killed, or is missing, has not. */
function translate(type: CompressionType, error: Error): Error {
  const judged = error instanceof ProgramFailure && error.toolExitCode !== undefined;
  return error instanceof DbBackupError && !judged ? error : damaged(type, error.message, error);
}
