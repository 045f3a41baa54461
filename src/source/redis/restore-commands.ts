/**
 * The keys of an RDB file as the commands that make them: a value stands in an RDB file as DUMP would write it, so it is
 * handed over as it is, without a server that loads the file first.
 * Guarantees: bounded memory, however large a value; keys keep their time to live. Source: RESTORE and DUMP of Redis,
 * createDumpPayload in src/cluster.c; REdis Serialization Protocol.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { DbBackupError } from '../../errors.ts';
import { Crc64 } from './crc64.ts';
import { opcode } from './rdb-type.ts';
import { type Part, type RdbEntry, RdbWalker } from './rdb-walker.ts';
import { bulk } from './resp.ts';

const readBytes = 256 * 1024;
/** Written at once. */
const batchBytes = 256 * 1024;
/** A batch that is not yet full, a piece of a value, and what stands around it. */
const capacityBytes = batchBytes + readBytes + 64 * 1024;
/** They are handed over as text. */
const libraryLimit = 8 * 1024 * 1024;
/** Behind what a payload covers: the RDB version and a checksum. */
const footerBytes = 2 + 8;

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
    const entries: RdbEntry[] = [];
    const walker = new RdbWalker((entry) => entries.push(entry));
    const batch = new Batch();
    for await (const chunk of chunksOf(file)) {
      const chunkStart = walker.bytes;
      walker.push(chunk);
      for (const entry of entries.splice(0)) {
        const database = databases.get(entry.database) ?? fail(path);
        yield* turn(batch, database, entry.valueStart);
        if (entry.valueStart >= chunkStart) {
          const value = chunk.subarray(entry.valueStart - chunkStart, entry.valueEnd - chunkStart);
          addWhole(batch, entry, value, walker.version);
        } else yield* addInPieces(batch, entry, file, walker.version);
        if (batch.isFull) yield batch.take(entry.valueEnd);
      }
    }
    if (!walker.parsed) fail(path);
    if (!batch.isEmpty) yield batch.take(walker.bytes);
  } finally {
    await file.close();
  }
}

/** What follows goes into another database. */
function* turn(batch: Batch, database: number, offset: number): Generator<RestoreStep> {
  if (database !== batch.database && !batch.isEmpty) yield batch.take(offset);
  batch.database = database;
}

function addWhole(batch: Batch, entry: RdbEntry, value: Buffer, version: number): void {
  const crc = new Crc64();
  batch.add(headOf(entry, crc));
  batch.add(value);
  batch.add(footer(crc.update(value), version));
  batch.add(absolute);
}

/** A value that began in an earlier chunk is read again, however large it is a piece at a time. */
async function* addInPieces(
  batch: Batch,
  entry: RdbEntry,
  file: FileHandle,
  version: number,
): AsyncGenerator<RestoreStep> {
  const crc = new Crc64();
  batch.add(headOf(entry, crc));
  for await (const piece of piecesOf(file, { start: entry.valueStart, end: entry.valueEnd })) {
    crc.update(piece);
    batch.add(piece);
    if (batch.isFull) yield batch.take(entry.valueStart);
  }
  batch.add(footer(crc, version));
  batch.add(absolute);
}

/** The payload of FUNCTION RESTORE; undefined when the file holds no functions. */
export async function libraryPayload(path: string, { libraries, version }: RdbWalker): Promise<Buffer | undefined> {
  if (libraries.length === 0) return undefined;
  const bytes = libraries.reduce((sum, { start, end }) => sum + end - start, 0);
  if (bytes > libraryLimit) {
    throw new DbBackupError('LIMIT_EXCEEDED', `the functions take ${bytes} bytes, more than ${libraryLimit}`, {
      hint: 'Restore into a data folder.',
    });
  }
  const file = await open(path);
  try {
    const body: Buffer[] = [];
    for (const part of libraries) {
      body.push(Buffer.of(opcode.library));
      for await (const piece of piecesOf(file, part)) body.push(Buffer.from(piece));
    }
    const whole = Buffer.concat(body);
    return Buffer.concat([whole, footer(new Crc64().update(whole), version)]);
  } finally {
    await file.close();
  }
}

/** Each chunk only until the next one is asked for. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(readBytes);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, readBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* piecesOf(file: FileHandle, { start, end }: Part): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, end - start));
  for (let position = start; position < end; ) {
    const wanted = Math.min(buffer.length, end - position);
    const { bytesRead } = await file.read(buffer, 0, wanted, position);
    if (bytesRead === 0) fail('the dump');
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Up to the first byte that the checksum covers, the type. */
function headOf({ key, type, expiresAt = 0n, valueStart, valueEnd }: RdbEntry, crc: Crc64): Buffer {
  const payloadBytes = 1 + valueEnd - valueStart + footerBytes;
  const head = Buffer.concat([
    Buffer.from('*5\r\n$7\r\nRESTORE\r\n'),
    bulk(key),
    bulk(Buffer.from(`${expiresAt}`)),
    Buffer.from(`$${payloadBytes}\r\n`),
    Buffer.of(type),
  ]);
  crc.update(head, head.length - 1);
  return head;
}

const absolute = Buffer.from('\r\n$6\r\nABSTTL\r\n');

/** Takes what `crc` has seen so far for the whole payload. */
function footer(crc: Crc64, version: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(version);
  return Buffer.concat([bytes, crc.update(bytes).digest()]);
}

function fail(what: string): never {
  throw new DbBackupError('INTEGRITY', `${what} changed while it was being restored`);
}

/** Millions of small pieces, copied into a few large ones. */
class Batch {
  #bytes = Buffer.allocUnsafe(capacityBytes);
  #length = 0;
  /** All that is in it goes there. */
  database = 0;

  add(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * length);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get isFull(): boolean {
    return this.#length >= batchBytes;
  }

  take(offset: number): RestoreStep {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
    this.#length = 0;
    return { bytes, database: this.database, offset };
  }
}
