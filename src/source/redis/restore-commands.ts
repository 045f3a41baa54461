/**
 * The keys of an RDB file as the commands that make them: a value stands in an RDB file as DUMP would write it, so it is
 * handed over as it is, without a server that loads the file first.
 * Guarantees: bounded memory, however large a value and however many keys; keys keep their time to live. Source: RESTORE
 * and DUMP of Redis, createDumpPayload in src/cluster.c; REdis Serialization Protocol.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { changed, piecesOf } from './file-pieces.ts';
import { type RdbEntry, RdbWalker } from './rdb-walker.ts';
import { RestoreBatch } from './restore-batch.ts';

export interface RestoreStep {
  readonly bytes: Buffer;
  /** Of the server, for which they are; whoever sends them chooses it. */
  readonly database: number;
  /** Of the file, how far it has been read. */
  readonly offset: number;
}

/**
 * `databases`: where the keys of a database of the file go. The file has been verified: what is wrong with it now
 * happened since.
 */
export async function* restoreCommands(
  path: string,
  databases: ReadonlyMap<number, number>,
): AsyncGenerator<RestoreStep> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let entries: RdbEntry[] = [];
    const walker = new RdbWalker((entry) => entries.push(entry));
    const batch = new RestoreBatch(() => walker.version);
    const choose = ({ database }: RdbEntry) => databases.get(database) ?? fail(path);
    for await (const chunk of piecesOf(file, { start: 0, end: size })) {
      const start = walker.bytes;
      walker.push(chunk);
      // Only the first can have begun in an earlier chunk.
      const first = entries[0];
      if (first !== undefined && first.valueStart < start) {
        yield* turn(batch, choose(first), first);
        yield* addInPieces(batch, first, file);
        entries.shift();
      }
      yield* addWhole(batch, entries, { chunk, start, choose });
      entries = [];
    }
    if (!walker.parsed) fail(path);
    if (!batch.isEmpty) yield stepOf(batch, walker.bytes);
  } finally {
    await file.close();
  }
}

/** What follows goes into another database. */
function* turn(batch: RestoreBatch, database: number, { valueStart }: RdbEntry): Generator<RestoreStep> {
  if (database !== batch.database && !batch.isEmpty) yield stepOf(batch, valueStart);
  batch.database = database;
}

interface Place {
  readonly chunk: Buffer;
  /** Of the chunk, in the file. */
  readonly start: number;
  readonly choose: (entry: RdbEntry) => number;
}

function* addWhole(
  batch: RestoreBatch,
  entries: readonly RdbEntry[],
  { chunk, start, choose }: Place,
): Generator<RestoreStep> {
  for (const entry of entries) {
    const database = choose(entry);
    if (database !== batch.database) yield* turn(batch, database, entry);
    batch.begin(entry);
    batch.add(chunk, entry.valueStart - start, entry.valueEnd - start);
    batch.end();
    if (batch.isFull) yield stepOf(batch, entry.valueEnd);
  }
}

/** A value that began in an earlier chunk is read again, however large it is a piece at a time. */
async function* addInPieces(batch: RestoreBatch, entry: RdbEntry, file: FileHandle): AsyncGenerator<RestoreStep> {
  batch.begin(entry);
  for await (const piece of piecesOf(file, { start: entry.valueStart, end: entry.valueEnd })) {
    batch.add(piece);
    if (batch.isFull) yield stepOf(batch, entry.valueStart);
  }
  batch.end();
}

function stepOf(batch: RestoreBatch, offset: number): RestoreStep {
  return { bytes: batch.take(), database: batch.database, offset };
}

function fail(path: string): never {
  throw changed(path);
}
