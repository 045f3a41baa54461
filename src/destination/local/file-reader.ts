/** A readable end of an open file. Closes the handle at its end, at an error and when destroyed. */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { localError } from './local-error.ts';

const chunkBytes = 512 * 1024;

export class FileReader extends Readable {
  readonly #handle: FileHandle;
  readonly #action: string;
  #position: number;

  /** Reads from byte `start` on. `action` names the work in error messages. */
  constructor(handle: FileHandle, start: number, action: string) {
    super({ highWaterMark: chunkBytes });
    this.#handle = handle;
    this.#position = start;
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
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    const { bytesRead } = await this.#handle.read(buffer, 0, chunkBytes, this.#position);
    this.#position += bytesRead;
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
  }
}
