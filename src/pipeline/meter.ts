/**
 * Counts and hashes what passes, without copying it: sha256 costs about 0.8 ms per MiB on the main thread.
 */
import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { DbBackupError } from '../errors.ts';
import { countTowardsCollection } from './dead-buffers.ts';
import type { Measure, Stage } from './stage.ts';

export interface MeterOptions {
  /** Gets the total so far, once per chunk, before the chunk is passed on. May throw: then the stage fails with that. */
  readonly onBytes?: (total: number) => void;
  /** Gets the final measure, before the end is passed on. May throw: then the stream never ends. */
  readonly onEnd?: (measure: Measure) => void;
  /**
   * What the stage before has measured of its own output, asked for at the end: then nothing is hashed here, but as much
   * has to have passed.
   */
  readonly measured?: () => Measure;
}

export function meter(name: string, { onBytes, onEnd, measured }: MeterOptions = {}): Stage<Measure> {
  const hash = measured ? undefined : createHash('sha256');
  let bytes = 0;
  let measure: Measure | undefined;
  const stream = new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => {
        bytes += chunk.length;
        countTowardsCollection(chunk.length);
        onBytes?.(bytes);
        hash?.update(chunk);
        this.push(chunk);
      });
    },
    flush(done) {
      attempt(done, () => {
        measure = hash ? { bytes, sha256: hash.digest('hex') } : agreed(name, bytes, measured?.());
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

function agreed(name: string, bytes: number, measure: Measure | undefined): Measure {
  if (measure?.bytes === bytes) return measure;
  throw new DbBackupError('UNEXPECTED', `${name} saw ${bytes} bytes pass, and ${measure?.bytes} had been measured`);
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
