import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { capture, produce } from '../../process/process.ts';
import { attempt } from '../attempt.ts';
import type { Dump, SourceContext } from '../source.ts';
import { endOfDumpCheck } from './end-of-dump-check.ts';
import { binaryFormat, sqlFormat } from './format.ts';
import { HeaderLines, type SqlHeader } from './header-lines.ts';
import type { RemoteDatabase, RemoteFile } from './remote.ts';
import { copyScript, sqlite3Script } from './remote-shell.ts';
import { sourceError } from './source-error.ts';
import { aboutCopyScript, copyingScript, listingEnd, listingScript, remoteDumpScript } from './sql-dump-script.ts';
import { SqlHeaderReader } from './sql-header-reader.ts';
import { sqlite3Arguments } from './sqlite3-program.ts';

/**
 * As the local dump, without a temporary file: the list of tables is asked for first, and the dump's own snapshot must
 * have the schema that it was asked of.
 */
export async function dumpRemoteSql(
  database: RemoteDatabase,
  { journalMode }: RemoteFile,
  context: SourceContext,
): Promise<Dump> {
  const spec = await database.spec(sqlite3Script, ['-readonly', ...sqlite3Arguments], context);
  const listing = await capture({ ...spec, stdinPrefix: Buffer.from(listingScript(database.busyTimeoutMs)) }).catch(
    (error: unknown) => {
      throw sourceError(database.label, error);
    },
  );
  if (!listing.stdout.endsWith(listingEnd)) {
    throw new DbBackupError('DUMP_INCOMPLETE', `the tables of ${database.label} were not listed to the end`);
  }
  const end = listing.stdout.indexOf('\n');
  const [schema, lines] = [Number(listing.stdout.slice(0, end)), listing.stdout.slice(end + 1)];
  const script = remoteDumpScript(database.busyTimeoutMs, lines);
  const program = produce({ ...spec, stdinPrefix: Buffer.from(script), largeBuffers: true });
  const stream = new SqlHeaderReader(database.label, schema);
  pipeline(program.stdout, endOfDumpCheck(sqlFormat), stream, () => {});
  return { stream, contents: async () => contentsOf(database, stream.header(), journalMode) };
}

/** A copy made and checked there, which comes behind the lines that tell of it. */
export async function dumpRemoteBinary(
  database: RemoteDatabase,
  { journalMode, bytes, freeBytes }: RemoteFile,
  context: SourceContext,
): Promise<Dump> {
  if (freeBytes !== undefined && freeBytes < bytes) {
    throw new DbBackupError(
      'DISK_FULL',
      `the copy of ${database.label} needs about ${bytes} bytes there, ${freeBytes} are free`,
      {
        hint: 'Free some space there, set TMPDIR there, or use "format: sql", which needs no temporary file.',
      },
    );
  }
  context.log('info', `the copy of ${database.name} needs a temporary file of about ${bytes} bytes there`);
  const scripts = [copyingScript(database.busyTimeoutMs), aboutCopyScript];
  const program = produce(await database.spec(copyScript, scripts, context));
  const split = new CopyReader(database.label);
  const check = endOfDumpCheck(binaryFormat);
  program.stdout.once('error', (error) => check.destroy(sourceError(database.label, error) as Error));
  pipeline(program.stdout, split, check, () => {});
  return { stream: check, contents: async () => contentsOf(database, split.header(), journalMode) };
}

function contentsOf({ name }: RemoteDatabase, { tables, properties }: SqlHeader, journalMode: string) {
  return [{ name, tables, properties: { ...properties, journal_mode: journalMode } }];
}

const magic = Buffer.from('SQLite format 3\0');
const headLimit = 64 * 1024 * 1024;

/** Takes the lines before a copy away; they tell what is in it, and whether it is whole. */
class CopyReader extends Transform {
  readonly #label: string;
  readonly #lines: HeaderLines;
  /** Undefined once the copy has begun. */
  #head: Buffer[] | undefined = [];
  #headBytes = 0;

  constructor(label: string) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
    this.#label = label;
    this.#lines = new HeaderLines(label);
  }

  header(): SqlHeader {
    return this.#lines.header();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    attempt(done, () => this.push(this.#head === undefined ? chunk : this.#behindLines(this.#head, chunk)));
  }

  /** The lines are JSON, in which a NUL is never written as it is. */
  #behindLines(head: Buffer[], chunk: Buffer): Buffer {
    head.push(chunk);
    this.#headBytes += chunk.length;
    if (this.#headBytes > headLimit) {
      throw new DbBackupError(
        'LIMIT_EXCEEDED',
        `the list of tables of ${this.#label} is larger than ${headLimit} bytes`,
      );
    }
    if (!chunk.includes(0)) return Buffer.alloc(0);
    const all = Buffer.concat(head);
    const start = Math.max(0, all.indexOf(magic));
    this.#head = undefined;
    this.#lines.read(all.subarray(0, start));
    if (!this.#lines.ended) {
      throw new DbBackupError('DUMP_INCOMPLETE', `what is in the copy of ${this.#label} was not told to the end`);
    }
    return all.subarray(start);
  }

  override _flush(done: TransformCallback): void {
    // Lines without a copy: they may tell why.
    attempt(done, () => this.#lines.read(Buffer.concat(this.#head ?? [])));
  }
}
