import { Duplex } from 'node:stream';
import { inputMethods } from './input.ts';
import { keptForTheReader, outputMethods, pumpOutput, readAheadBytes } from './output.ts';
import type { ProgramSpec } from './process.ts';
import { Run } from './run.ts';

/**
 * A program as a stage of a pipeline: its stdin and stdout as one stream with the guarantees of `consume` and `produce`.
 * Throws before anything is started, as they do.
 */
export function filter(spec: ProgramSpec): Duplex {
  const run = new Run(spec, true);
  const stream = new Duplex({ highWaterMark: readAheadBytes, ...inputMethods(run), ...outputMethods(run) });
  pumpOutput(run, stream);
  stream.on('error', keptForTheReader);
  return stream;
}
