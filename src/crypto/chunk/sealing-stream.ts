/**
 * Plaintext in; header, then sealed chunks out, and the hash of all of it. A chunk is sealed only when a byte after it is
 * known, so that the last one can be marked; the last is empty only when the whole stream is. Long streams are sealed and
 * hashed in a thread beside this one.
 */
import { createHash } from 'node:crypto';
import type { Measure } from '../../pipeline/stage.ts';
import { ByteQueue } from './byte-queue.ts';
import { type ChunkCipher, sealChunk } from './chunk-cipher.ts';
import type { Sealed, SealTask } from './seal-worker.ts';
import { ThreadedTransform } from './threaded-transform.ts';

export class SealingStream extends ThreadedTransform<SealTask, Sealed> {
  readonly #cipher: ChunkCipher;
  readonly #queue = new ByteQueue();
  readonly #taskChunks: number;
  #index = 0;
  #bytes = 0;
  /** Of what this thread has sealed; the other one, once it is there, begins with `#early`. */
  readonly #hash = createHash('sha256');
  readonly #early = new ByteQueue();
  #sha256: string | undefined;

  constructor(header: Buffer, cipher: ChunkCipher) {
    super('crypto/chunk/seal-worker.js');
    this.#cipher = cipher;
    this.#taskChunks = this.chunksPerTask(cipher.chunkSize);
    this.#releaseOwn([header]);
  }

  /** Of the whole output; undefined before its end. */
  get measure(): Measure | undefined {
    return this.#sha256 === undefined ? undefined : { bytes: this.#bytes, sha256: this.#sha256 };
  }

  protected override accept(piece: Buffer): void | Promise<void> {
    this.#queue.push(piece);
    if (!this.wantsThread(this.#index * this.#cipher.chunkSize)) this.#sealWholeChunks();
    else if (this.#queue.length > this.#taskBytes) return this.#sealBeside();
  }

  protected override finish(): void | Promise<void> {
    if (this.hasThread) return this.#finishBeside();
    this.#sealWholeChunks();
    this.#seal(this.#queue.length, true);
    this.#sha256 = this.#hash.digest('hex');
  }

  protected override answered({ pieces, sha256 }: Sealed): void {
    this.#sha256 = sha256;
    for (const { buffer, byteOffset, length } of pieces) this.#release(Buffer.from(buffer, byteOffset, length));
  }

  get #taskBytes(): number {
    return this.#taskChunks * this.#cipher.chunkSize;
  }

  #sealWholeChunks(): void {
    while (this.#queue.length > this.#cipher.chunkSize) this.#seal(this.#cipher.chunkSize, false);
  }

  #seal(size: number, last: boolean): void {
    this.#releaseOwn(sealChunk(this.#cipher, this.#index, last, this.#queue.takeFew(size)));
    this.#index += 1;
  }

  async #sealBeside(): Promise<void> {
    if (!this.hasThread) await this.#handOver();
    while (this.#queue.length > this.#taskBytes) {
      await this.give(this.#queue.take(this.#taskBytes), { firstIndex: this.#index, last: false });
      this.#index += this.#taskChunks;
    }
  }

  async #handOver(): Promise<void> {
    this.startThread(this.#cipher, this.#taskBytes);
    while (this.#early.length > 0) {
      await this.give(this.#early.take(Math.min(this.#early.length, this.#taskBytes)), 'hash');
    }
  }

  /** There is always something left: a task goes out only when a byte after it is known. */
  async #finishBeside(): Promise<void> {
    await this.give(this.#queue.take(this.#queue.length), { firstIndex: this.#index, last: true });
    await this.finishThread();
  }

  #releaseOwn(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.#hash.update(piece);
      if (this.mayHaveThread) this.#early.push(piece);
      this.#release(piece);
    }
  }

  #release(piece: Buffer): void {
    this.#bytes += piece.length;
    this.push(piece);
  }
}
