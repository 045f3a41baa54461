/** The whole command line in this process, with a destination type `faulty` (a local folder) that a test can break. */
import { Readable, Writable } from 'node:stream';
import type { App } from '../../src/cli/app.ts';
import { runProgram } from '../../src/cli/program.ts';
import { encryptionTypes } from '../../src/crypto/all.ts';
import { destinationTypes } from '../../src/destination/all.ts';
import type { Destination, DestinationType } from '../../src/destination/destination.ts';
import { localType } from '../../src/destination/local/local.ts';
import { notificationTypes } from '../../src/notification/all.ts';
import { sourceTypes } from '../../src/source/all.ts';
import { makeWorkplace, type Run, type Workplace } from '../e2e/cli.ts';
import { type Faults, FaultyDestination } from '../faulty-destination/faulty-destination.ts';

export interface Breakage extends Faults {
  /** Last word on the opened destination. */
  wrap?: (destination: Destination) => Destination;
}

/** A workplace whose `run` is quick, being the whole command line in this process; `start` starts the built program. */
export async function makeQuickWorkplace(): Promise<Workplace> {
  const place = await makeWorkplace();
  return { ...place, run: (...argv) => runInProcess(place, {}, ...argv) };
}

export async function runInProcess({ folder, env }: Workplace, faults: Breakage, ...argv: string[]): Promise<Run> {
  const stdout = new Collector();
  const stderr = new Collector();
  const app: App = {
    version: '0.0.0',
    signal: new AbortController().signal,
    env,
    workingFolder: folder,
    stdin: Readable.from([]),
    stdout,
    stderr,
    loadCatalog: async () => ({
      sources: sourceTypes,
      destinations: [...destinationTypes, faultyType(faults)],
      encryption: encryptionTypes,
      notifications: notificationTypes,
    }),
  };
  const code = await runProgram(app, argv);
  return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() };
}

function faultyType({ wrap = (destination) => destination, ...faults }: Breakage): DestinationType {
  return {
    type: 'faulty',
    options: localType.options,
    open: (options, base) => wrap(new FaultyDestination(localType.open(options as never, base), faults)),
  };
}

class Collector extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
