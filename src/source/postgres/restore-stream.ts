/**
 * What stands between a verified dump and the program that loads it: the program must not be able to commit before the
 * last byte has been verified, which is when our input ends.
 */
import { Transform } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { attempt } from '../attempt.ts';
import { ArchiveWalker } from './archive-walker.ts';
import { joinPieces } from './join-pieces.ts';
import { ScriptScanner } from './script-scanner.ts';

type Done = (error?: Error | null) => void;

/**
 * For `pg_restore --single-transaction`, which does not read up to the end of its input: it may commit as soon as it has
 * the end mark of the last block. The chunk with that mark is held back.
 */
export class HeldArchive extends Transform {
  readonly #walker = new ArchiveWalker({ joins: true });
  #held: Buffer | undefined;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    attempt(done, () => {
      this.#walker.push(chunk);
      const joined = joinPieces(chunk, this.#walker.runs());
      if (this.#walker.parsed) this.#held = joined;
      else this.push(joined);
    });
  }

  override _flush(done: Done): void {
    attempt(done, () => {
      this.#walker.finish();
      this.push(this.#held);
    });
  }
}

const commit = 'COMMIT';
/** Scripts of this major and newer ones set it, older servers do not know it. */
export const transactionTimeoutSince = 17;
const transactionTimeout = 'SET transaction_timeout = 0';
/** What is taken out has no more letters; the fence's key may be anybody's own. */
const longest = 256;
const blank = 0x20;

interface Taken {
  readonly text: string;
  readonly end: number;
}

export interface Reader {
  /** Major of the server. */
  readonly server: number;
  /** Version of psql. */
  readonly psql: string;
}

/**
 * For psql, behind a BEGIN of ours: adds the COMMIT when the whole script has passed, and takes out those that pg_dump
 * puts around large objects, and what an older server or psql does not know: a setting, and the fence (whose purpose,
 * that no other command is run, is kept here). Refuses commands that would lead out of the transaction (`\connect`).
 */
export class GuardedScript extends Transform {
  readonly #scanner: ScriptScanner;
  #taken: Taken[] = [];
  /** The chunk before: what is taken out, or a command, may begin there. */
  #held: Buffer = Buffer.alloc(0);

  constructor({ server, psql }: Reader) {
    super();
    const unwanted = server < transactionTimeoutSince ? [commit, transactionTimeout] : [commit];
    const take = (text: string, end: number) => {
      if (text.length < longest) this.#taken.push({ text, end });
    };
    this.#scanner = new ScriptScanner({
      statement: (text, end) => unwanted.includes(text) && take(text, end),
      command: (text) => refuse(text),
      fence: knowsFence(psql) ? undefined : take,
    });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    attempt(done, () => {
      this.#taken = [];
      this.#scanner.push(chunk);
      const both = this.#taken.length > 0 || this.#held.length < longest;
      const next = both ? Buffer.concat([this.#held, chunk]) : chunk;
      const shift = next.length - chunk.length;
      for (const { text, end } of this.#taken) next.fill(blank, shift + end - text.length, shift + end);
      if (!both) this.push(this.#held);
      this.#held = next;
    });
  }

  override _flush(done: Done): void {
    attempt(done, () => {
      this.#scanner.finish();
      this.push(this.#held);
      this.push(`${commit};\n`);
    });
  }
}

/** The minor of each major that brought `\restrict`, in August 2025. */
const fenceSince: Readonly<Record<number, number>> = {
  12: Number.POSITIVE_INFINITY,
  13: 22,
  14: 19,
  15: 14,
  16: 10,
  17: 6,
};

export function knowsFence(psql: string): boolean {
  const [major = 0, minor = 0] = psql.split('.').map(Number);
  return minor >= (fenceSince[major] ?? 0);
}

function refuse(command: string): never {
  throw new DbBackupError(
    'TARGET_FAILED',
    `the script holds the command ${command.slice(0, 80)}, which leads out of the transaction`,
    {
      hint: 'It was dumped with --create, or by another tool. Restore it to a file (--output) and load that with psql yourself.',
    },
  );
}
