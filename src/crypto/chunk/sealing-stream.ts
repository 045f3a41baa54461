/**
 * Plaintext in; header, then sealed chunks out. A chunk is sealed only when a byte after it is known, so that the last
 * one can be marked; the last is empty only when the whole stream is.
 */
import { Transform, type TransformCallback } from 'node:stream';
import { ByteQueue } from './byte-queue.ts';
import { type ChunkCipher, sealChunk } from './chunk-cipher.ts';

/** Bytes a stream buffers on either side: several chunks a turn of the event loop. */
export const streamBuffer = 256 * 1024;

export class SealingStream extends Transform {
  readonly #cipher: ChunkCipher;
  readonly #queue = new ByteQueue();
  #index = 0;

  constructor(header: Buffer, cipher: ChunkCipher) {
    super({ highWaterMark: streamBuffer });
    this.#cipher = cipher;
    this.push(header);
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#queue.push(piece);
      while (this.#queue.length > this.#cipher.chunkSize) this.#seal(this.#cipher.chunkSize, false);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#seal(this.#queue.length, true);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #seal(size: number, last: boolean): void {
    const pieces = sealChunk(this.#cipher, this.#index, last, this.#queue.take(size));
    for (const piece of pieces) this.push(piece);
    this.#index += 1;
  }
}
