/**
 * Plaintext in; header, then sealed chunks out. A chunk is sealed only when a byte after it is known, so that the last
 * one can be marked; the last is empty only when the whole stream is.
 */
import { ByteQueue } from './byte-queue.ts';
import { type ChunkCipher, sealChunk } from './chunk-cipher.ts';
import { FailStopTransform } from './fail-stop-transform.ts';

export class SealingStream extends FailStopTransform {
  readonly #cipher: ChunkCipher;
  readonly #queue = new ByteQueue();
  #index = 0;

  constructor(header: Buffer, cipher: ChunkCipher) {
    super();
    this.#cipher = cipher;
    this.push(header);
  }

  protected override accept(piece: Buffer): void {
    this.#queue.push(piece);
    while (this.#queue.length > this.#cipher.chunkSize) this.#seal(this.#cipher.chunkSize, false);
  }

  protected override finish(): void {
    this.#seal(this.#queue.length, true);
  }

  #seal(size: number, last: boolean): void {
    const pieces = sealChunk(this.#cipher, this.#index, last, this.#queue.take(size));
    this.#index += 1;
    for (const piece of pieces) this.push(piece);
  }
}
