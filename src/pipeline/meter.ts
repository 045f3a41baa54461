/**
 * Counts and hashes what passes, without copying it: sha256 costs about 0.8 ms per MiB on the main thread.
 */
import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { DbBackupError } from '../errors.ts';
import { countTowardsCollection } from './dead-buffers.ts';
import type { Measure, Stage } from './stage.ts';

/**
 * `onBytes` gets the total so far, once per chunk, before the chunk is passed on; `onEnd` the final measure, before
 * the end is passed on. Either may throw: then the stage fails with that error and the stream never ends.
 */
export function meter(
  name: string,
  onBytes?: (total: number) => void,
  onEnd?: (measure: Measure) => void,
): Stage<Measure> {
  const hash = createHash('sha256');
  let bytes = 0;
  let measure: Measure | undefined;
  const stream = new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => {
        bytes += chunk.length;
        countTowardsCollection(chunk.length);
        onBytes?.(bytes);
        hash.update(chunk);
        this.push(chunk);
      });
    },
    flush(done) {
      attempt(done, () => {
        measure = { bytes, sha256: hash.digest('hex') };
        onEnd?.(measure);
      });
    },
  });
  const result = () => {
    if (measure === undefined) throw new DbBackupError('UNEXPECTED', `${name} was asked before the end of its stream`);
    return measure;
  };
  return { name, stream, result };
}

function attempt(done: (error?: Error) => void, step: () => void): void {
  try {
    step();
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}
