import { Readable } from 'node:stream';
import { keptForTheReader, outputMethods, pumpOutput, readAheadBytes } from './output.ts';
import type { Producer, ProgramSpec } from './process.ts';
import { Run } from './run.ts';

/**
 * Starts a program that writes. The end of `stdout` means: exit 0 and everything read.
 * Throws before anything is started: UNEXPECTED (a secret among the arguments), the reason of an aborted signal.
 */
export function produce(spec: ProgramSpec): Producer {
  const run = new Run(spec, false);
  // It may exit without having read the prefix; its exit code is what counts.
  run.child.stdin.on('error', () => {});
  // Behind a prefix the other side has it already, and an open input tells that we are there.
  if (spec.prefix === undefined) run.child.stdin.end(spec.stdinPrefix);
  const stdout = new Readable({ highWaterMark: readAheadBytes, ...outputMethods(run) });
  pumpOutput(run, stdout);
  stdout.on('error', keptForTheReader);
  return { pid: run.child.pid, ended: run.ended, stdout, stop: (reason) => run.stop(reason) };
}
