/** A readable end of an open file. Closes the handle at its end, at an error and when destroyed. */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { localError } from './local-error.ts';

const chunkBytes = 512 * 1024;
/** For the look behind the end. */
const smallestBytes = 4096;

export class FileReader extends Readable {
  readonly #handle: FileHandle;
  readonly #action: string;
  readonly #size: number;
  #position: number;

  /** Reads from byte `start` on to the end. `size`: as it was at the opening. `action` names the work in error messages. */
  constructor(handle: FileHandle, start: number, size: number, action: string) {
    super({ highWaterMark: chunkBytes });
    this.#handle = handle;
    this.#position = start;
    this.#size = size;
    this.#action = action;
  }

  override _read(): void {
    this.#next().then(
      (chunk) => this.push(chunk),
      (error) => this.destroy(localError(error, this.#action)),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#handle.close().then(
      () => done(error),
      (failure) => done(error ?? localError(failure, this.#action)),
    );
  }

  async #next(): Promise<Buffer | null> {
    // A list reads thousands of small files: a large buffer for each would keep the collector busy.
    const length = Math.min(chunkBytes, Math.max(smallestBytes, this.#size - this.#position));
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, this.#position);
    this.#position += bytesRead;
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
  }
}
