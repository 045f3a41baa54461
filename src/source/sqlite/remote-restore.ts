import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import { consume, ProgramFailure } from '../../process/process.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { endOfDumpCheck } from './end-of-dump-check.ts';
import { sqlFormat } from './format.ts';
import type { RemoteDatabase } from './remote.ts';
import { restoreScript } from './remote-shell.ts';

/**
 * Built beside the target there. A line that breaks looks there like the end of the dump, so what has arrived is
 * believed only with a proof that the dump itself cannot hold: its length, or the answer to a last statement of ours.
 */
export async function restoreRemote(
  database: RemoteDatabase,
  { input, format, clean }: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  if (input.kind !== 'file') throw new DbBackupError('UNEXPECTED', 'a SQLite restore needs the whole dump in a file');
  const isText = format.name === sqlFormat.name;
  const proof = isText ? `dbbackup-${randomUUID()}` : String((await stat(input.path)).size);
  const args = [format.name, proof, clean ? 'clean' : '', String(database.busyTimeoutMs)];
  const program = consume({ ...(await database.spec(restoreScript, args, context)), largeBuffers: true });
  const bytes = createReadStream(input.path, { highWaterMark: 256 * 1024 });
  try {
    await pipeline(bytes, endOfDumpCheck(format), ending(isText ? `\nSELECT '${proof}';\n` : ''), program.stdin);
  } catch (error) {
    await program.stop();
    context.signal.throwIfAborted();
    throw named(database, error);
  }
  return { label: database.label, warnings: [] };
}

/** Adds a last word, once everything before it has proved to be whole. */
function ending(text: string): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) => done(null, text),
  });
}

function named(database: RemoteDatabase, error: unknown): unknown {
  const said = error instanceof ProgramFailure ? error.stderrTail : '';
  const refusal = /^dbbackup:(.*)$/m.exec(said)?.[1];
  if (refusal !== undefined && error instanceof ProgramFailure) return unfitTarget(database, refusal, error);
  return wrapError(error, 'TARGET_FAILED', `restore into ${database.label} failed; what was there is as it was`);
}

const unfit: Readonly<Record<string, string>> = {
  dangling: 'it is a link that leads nowhere',
  foreign: 'it exists and is not a SQLite database',
  readonly: 'it, or its folder, may not be written to',
  nofolder: 'its folder does not exist there',
  taken: 'somebody else has just made it',
  cut: 'the dump did not arrive whole, or could not be loaded',
  damaged: 'what was restored beside it did not pass integrity_check',
};

/** `refusal`: the word of the script on the other side, and what it says more. */
export function unfitTarget({ label }: RemoteDatabase, refusal: string, cause?: ProgramFailure): DbBackupError {
  const [word = '', ...more] = refusal.split(' ');
  if (word === 'not-empty') {
    return new DbBackupError('TARGET_NOT_EMPTY', `cannot restore into ${label}: it holds a database, or -wal files`, {
      hint: 'Restore into a new file, or say --clean to replace what is there.',
    });
  }
  if (word === 'in-use' || (word === 'overwrite' && /locked/.test(cause?.stderrTail ?? ''))) {
    const why = word === 'in-use' ? more.join(' ') : 'another program holds a lock on it';
    return new DbBackupError('TARGET_IN_USE', `${label} is in use: ${why}`, {
      retryable: true,
      hint: 'Stop the program that uses it, or restore into a new file.',
    });
  }
  return new DbBackupError('TARGET_FAILED', `cannot restore into ${label}: ${unfit[word] ?? refusal}`, {
    cause,
    hint: word === 'cut' || word === 'damaged' ? undefined : 'Move it away or name another file in an existing folder.',
  });
}
