import type { Readable } from 'node:stream';
import type { Run } from './run.ts';

/** Bytes read ahead of a slow reader, beyond what the kernel holds. */
export const readAheadBytes = 1024 * 1024;

/** The `read` and `destroy` of a stream over the program's stdout. */
export function outputMethods(run: Run) {
  run.idle.hold('output');
  return {
    read(): void {
      run.idle.release('output');
      run.child.stdout.resume();
    },
    destroy(error: Error | null, done: (error: Error | null) => void): void {
      void run.stop(error ?? undefined).then(() => done(error));
    },
  };
}

/** Moves stdout into `stream`, which ends only when the program has ended well, and errors in every other case. */
export function pumpOutput(run: Run, stream: Readable): void {
  const { stdout } = run.child;
  stdout.pause();
  stdout.on('data', (chunk: Buffer) => {
    run.idle.touch();
    if (stream.push(chunk)) return;
    run.idle.hold('output');
    stdout.pause();
  });
  // From here on it only has to exit, whether or not the rest is being read.
  stdout.on('end', () => run.idle.release('output'));
  stdout.on('error', (error) => void run.stop(error));
  run.ended.then(
    () => stream.push(null),
    (error: Error) => stream.destroy(error),
  );
}

/**
 * A program may fail before anybody listens, and that must not end us: whoever reads later finds the error in the
 * stream (`errored`, `finished`, `pipeline`).
 */
export function keptForTheReader(): void {}
