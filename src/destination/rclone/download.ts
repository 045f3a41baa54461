/**
 * The bytes of an object, from some byte on, by as many `rclone cat` as it takes.
 * Guarantees: a failed one is followed by another that goes on where it broke; an object whose size or time is another
 * one then is an error and never a mixture (F42); the stream ends only after as many bytes as the object had at first.
 */
import { Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { pause, withBackoff } from '../backoff.ts';
import type { StoredObject } from '../destination.ts';
import { isPassing, rcloneError } from './rclone-error.ts';
import type { RcloneProgram } from './rclone-program.ts';

export interface DownloadPlan {
  readonly object: StoredObject;
  readonly start: number;
  readonly retries: number;
  /** Names the work in error messages. */
  readonly action: string;
}

export function download(rclone: RcloneProgram, plan: DownloadPlan): Readable {
  const closed = new AbortController();
  const stream = Readable.from(bytesOf(rclone, plan, closed.signal), { objectMode: false });
  // The generator may be waiting for a silent rclone; this ends it.
  stream.once('close', () => closed.abort());
  return stream;
}

async function* bytesOf(rclone: RcloneProgram, plan: DownloadPlan, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { object, action } = plan;
  let position = plan.start;
  let failures = 0;
  while (position < object.size) {
    try {
      for await (const chunk of piece(rclone, object.key, position, signal)) {
        position += chunk.length;
        failures = 0;
        if (position > object.size) throw exchanged();
        yield chunk;
      }
      if (position < object.size) throw cutShort();
    } catch (error) {
      if (signal.aborted || !isPassing(error) || failures >= plan.retries) throw rcloneError(error, action);
      await pause(failures++, signal);
      await assertUnchanged(rclone, plan, signal);
    }
  }
}

async function* piece(rclone: RcloneProgram, key: string, start: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const program = rclone.send(key, start, signal);
  try {
    for await (const chunk of program.stdout) yield chunk as Buffer;
  } finally {
    await program.stop();
  }
}

async function assertUnchanged(rclone: RcloneProgram, plan: DownloadPlan, signal: AbortSignal): Promise<void> {
  const { object, action, retries } = plan;
  const now = await withBackoff(() => rclone.stat(object.key, signal), { retries, passing: isPassing, signal }).catch(
    (error: unknown) => {
      throw rcloneError(error, action);
    },
  );
  if (now?.size !== object.size || now.modifiedAt.getTime() !== object.modifiedAt.getTime()) throw exchanged();
}

function cutShort(): DbBackupError {
  return new DbBackupError('DESTINATION_FAILED', 'rclone gave fewer bytes than the object has', { retryable: true });
}

function exchanged(): DbBackupError {
  return new DbBackupError('INTEGRITY', 'the object was exchanged or removed while it was being read', {
    hint: 'Nothing of the mixture is used. Verify the backup, then read it again.',
  });
}
