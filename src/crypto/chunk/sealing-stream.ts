/**
 * Plaintext in; header, then sealed chunks out. A chunk is sealed only when a byte after it is known, so that the last
 * one can be marked; the last is empty only when the whole stream is. Where there is more than one core, a stream that
 * turns out to be long is sealed in a thread beside this one, which has all the hashing to do.
 */
import { availableParallelism } from 'node:os';
import { ByteQueue } from './byte-queue.ts';
import { type ChunkCipher, sealChunk } from './chunk-cipher.ts';
import { FailStopTransform } from './fail-stop-transform.ts';
import { SealingThread } from './sealing-thread.ts';

/** A thread takes 30 ms to start: short streams are over by then. */
const bytesBeforeThread = 8 * 1024 * 1024;
/** Plaintext that goes to the thread at a time, at most. */
const batchLimit = 1024 * 1024;
/** Bytes that are handed on at a time. */
const pieceBytes = 256 * 1024;

export class SealingStream extends FailStopTransform {
  readonly #cipher: ChunkCipher;
  readonly #queue = new ByteQueue();
  readonly #batchChunks: number;
  #index = 0;
  #thread: SealingThread | undefined;
  #onSealed: (() => void) | undefined;

  constructor(header: Buffer, cipher: ChunkCipher) {
    super();
    this.#cipher = cipher;
    this.#batchChunks = Math.max(1, Math.floor(batchLimit / cipher.chunkSize));
    this.push(header);
  }

  protected override accept(piece: Buffer): void | Promise<void> {
    this.#queue.push(piece);
    if (this.#wantsThread()) return this.#queue.length > this.#batchBytes ? this.#sealBeside() : undefined;
    this.#sealWholeChunks();
  }

  protected override async finish(): Promise<void> {
    while (this.#thread?.isIdle === false) await this.#nextSealed();
    this.#sealWholeChunks();
    this.#seal(this.#queue.length, true);
    this.#thread?.close();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#thread?.close();
    done(error);
  }

  get #batchBytes(): number {
    return this.#batchChunks * this.#cipher.chunkSize;
  }

  #wantsThread(): boolean {
    return this.#index * this.#cipher.chunkSize >= bytesBeforeThread && availableParallelism() > 1;
  }

  #sealWholeChunks(): void {
    while (this.#queue.length > this.#cipher.chunkSize) this.#seal(this.#cipher.chunkSize, false);
  }

  #seal(size: number, last: boolean): void {
    const pieces = sealChunk(this.#cipher, this.#index, last, this.#queue.take(size));
    this.#index += 1;
    for (const piece of pieces) this.push(piece);
  }

  async #sealBeside(): Promise<void> {
    this.#thread ??= new SealingThread(this.#cipher, this.#batchBytes, {
      sealed: (batch) => this.#release(batch),
      failed: (error) => this.destroy(error),
    });
    while (this.#queue.length > this.#batchBytes) {
      while (!this.#thread.hasRoom) await this.#nextSealed();
      this.#thread.seal(this.#index, this.#queue.take(this.#batchBytes));
      this.#index += this.#batchChunks;
    }
  }

  /** Never resolves when the stream is destroyed: then nobody waits. */
  #nextSealed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSealed = resolve;
    });
  }

  #release(batch: Buffer): void {
    for (let start = 0; start < batch.length; start += pieceBytes) {
      const piece = batch.subarray(start, start + pieceBytes);
      // Whoever reads may keep it for as long as it likes.
      const own = Buffer.allocUnsafeSlow(piece.length);
      piece.copy(own);
      this.push(own);
    }
    this.#onSealed?.();
  }
}
