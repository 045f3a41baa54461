/**
 * Stored bytes in; plaintext out, chunk by chunk, each after it has been authenticated. The header is read and checked
 * first. Refuses (INTEGRITY) damaged, missing, repeated and swapped chunks, a missing end, and bytes after the end.
 * Long streams are opened in a thread beside this one.
 */
import { DbBackupError } from '../../errors.ts';
import type { Decryption } from '../encryption.ts';
import { ByteQueue } from './byte-queue.ts';
import { type ChunkCipher, openChunk, tagSize } from './chunk-cipher.ts';
import type { Opened, OpenTask } from './open-worker.ts';
import { ThreadedTransform } from './threaded-transform.ts';

/** What a format does before its first chunk. */
export interface HeaderReader {
  /** Length of the header that `head` starts with; undefined when more bytes are needed. Throws when it is none. */
  measure(head: Buffer): number | undefined;
  /** Authenticates the header and finds the key. Throws WRONG_KEY, INTEGRITY, LIMIT_EXCEEDED. */
  open(header: Buffer): Promise<ChunkCipher>;
}

export const damagedHint =
  'The file was changed or cut after it was written. Try another copy (dbbackup list shows the destinations).';

export class OpeningStream extends ThreadedTransform<OpenTask, Opened> implements Decryption {
  readonly opened: Promise<void>;
  readonly #reader: HeaderReader;
  readonly #queue = new ByteQueue();
  #head: Buffer = Buffer.alloc(0);
  #cipher: ChunkCipher | undefined;
  /** Of the chunk that is released next. */
  #index = 0;
  /** Of the chunk that the thread gets next. */
  #given = 0;
  #settle: { resolve(): void; reject(reason: Error): void } | undefined;

  constructor(reader: HeaderReader) {
    super('crypto/chunk/open-worker.js');
    this.#reader = reader;
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever does not ask still learns of the failure: the stream itself errors.
    this.opened.catch(() => undefined);
  }

  protected override accept(piece: Buffer): void | Promise<void> {
    if (this.#cipher === undefined) return this.#readHeader(piece);
    this.#queue.push(piece);
    if (!this.wantsThread(this.#index * this.#cipher.chunkSize)) this.#openWholeChunks(this.#cipher);
    else return this.#openBeside(this.#cipher);
  }

  protected override async finish(): Promise<void> {
    if (this.#cipher === undefined) throw damaged('truncated: it ends inside its header');
    await this.finishThread();
    this.#openWholeChunks(this.#cipher);
    this.#openLastChunk(this.#cipher);
  }

  protected override answered({ pieces, chunks, refused }: Opened): void {
    this.#release(
      pieces.map(({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length)),
      chunks,
    );
    if (refused === undefined) return;
    const [sealed, tag] = [refused.subarray(0, -tagSize), refused.subarray(-tagSize)].map((part) => Buffer.from(part));
    throw this.#refusalOfInner(this.#cipher as ChunkCipher, [sealed as Buffer], tag as Buffer);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#settle?.reject(error ?? new DbBackupError('PIPELINE_FAILED', 'decryption was stopped before the header'));
    super._destroy(error, done);
  }

  async #readHeader(piece: Buffer): Promise<void> {
    this.#head = Buffer.concat([this.#head, piece]);
    const length = this.#reader.measure(this.#head);
    if (length === undefined || this.#head.length < length) return;
    this.#cipher = await this.#reader.open(this.#head.subarray(0, length));
    this.#settle?.resolve();
    this.#queue.push(this.#head.subarray(length));
    this.#head = Buffer.alloc(0);
    this.#openWholeChunks(this.#cipher);
  }

  #openWholeChunks(cipher: ChunkCipher): void {
    const stored = cipher.chunkSize + tagSize;
    // A chunk with a byte after it is not the last one.
    while (this.#queue.length > stored) {
      const { pieces, tag } = this.#take(stored);
      const opened = openChunk(cipher, this.#index, false, pieces, tag);
      if (opened === undefined) throw this.#refusalOfInner(cipher, pieces, tag);
      this.#release(opened);
    }
  }

  async #openBeside(cipher: ChunkCipher): Promise<void> {
    const stored = cipher.chunkSize + tagSize;
    const taskChunks = this.chunksPerTask(stored);
    if (!this.hasThread && this.#queue.length > taskChunks * stored) {
      this.#given = this.#index;
      this.startThread(cipher, taskChunks * stored);
    }
    while (this.#queue.length > taskChunks * stored) {
      await this.give(this.#queue.take(taskChunks * stored), { firstIndex: this.#given });
      this.#given += taskChunks;
    }
  }

  #openLastChunk(cipher: ChunkCipher): void {
    const length = this.#queue.length;
    if (length === 0) throw damaged(`truncated: chunk ${this.#index}, the next, is missing`);
    if (length < tagSize) throw damaged(`truncated inside chunk ${this.#index}`);
    const { pieces, tag } = this.#take(length);
    const opened = openChunk(cipher, this.#index, true, pieces, tag);
    if (opened === undefined) {
      const isFull = length === cipher.chunkSize + tagSize;
      const asInner = isFull ? openChunk(cipher, this.#index, false, pieces, tag) : undefined;
      throw this.#refusal(asInner, 'truncated: chunks after # are missing');
    }
    if (length === tagSize && this.#index > 0) throw damaged(`malformed: chunk ${this.#index}, the last, is empty`);
    this.#release(opened);
  }

  #take(stored: number): { pieces: readonly Buffer[]; tag: Buffer } {
    const pieces = this.#queue.takeFew(stored - tagSize);
    return { pieces, tag: Buffer.concat(this.#queue.take(tagSize)) };
  }

  #release(opened: readonly Buffer[], chunks = 1): void {
    this.#index += chunks;
    for (const piece of opened) if (piece.length > 0) this.push(piece);
  }

  /** Of a chunk that more bytes follow. */
  #refusalOfInner(cipher: ChunkCipher, pieces: readonly Buffer[], tag: Buffer): DbBackupError {
    const asLast = openChunk(cipher, this.#index, true, pieces, tag);
    return this.#refusal(asLast, 'malformed: trailing bytes follow #, the last');
  }

  /**
   * `otherwise`: what the chunk gives with the other last-mark; then it is whole, and released as the official age
   * vectors want it, and what surrounds it is wrong.
   */
  #refusal(otherwise: readonly Buffer[] | undefined, surroundings: string): DbBackupError {
    const chunk = `chunk ${this.#index}`;
    if (otherwise === undefined) return damaged(`damaged or truncated in ${chunk}`);
    this.#release(otherwise);
    return damaged(surroundings.replace('#', chunk));
  }
}

/** INTEGRITY: `the encrypted backup is <what>`. */
export function damaged(what: string, cause?: unknown): DbBackupError {
  return new DbBackupError('INTEGRITY', `the encrypted backup is ${what}`, { hint: damagedHint, cause });
}
