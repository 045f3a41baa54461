import { Writable } from 'node:stream';
import { inputMethods } from './input.ts';
import { keptForTheReader, outputMethods, readAheadBytes } from './output.ts';
import type { Consumer, ProgramSpec } from './process.ts';
import { Run } from './run.ts';

/**
 * Starts a program that reads; what it writes to stdout is read and dropped. `stdin` finishes at exit 0, and errors with
 * the program's failure when it dies early. Throws before anything is started, as `produce` does.
 */
export function consume(spec: ProgramSpec): Consumer {
  const run = new Run(spec, true);
  const { destroy } = outputMethods(run);
  const stdin = new Writable({ highWaterMark: readAheadBytes, ...inputMethods(run), destroy });
  run.idle.release('output');
  run.child.stdout.on('data', () => run.idle.touch());
  run.child.stdout.on('error', (error) => void run.stop(error));
  run.ended.catch((error: Error) => stdin.destroy(error));
  stdin.on('error', keptForTheReader);
  return { pid: run.child.pid, ended: run.ended, stdin, stop: (reason) => run.stop(reason) };
}
