/**
 * A writable end of an open file: what piles up during one write goes out in the next as one writev(2), uncopied.
 * What was written is sent on to the disk while more comes in, so that the fsync at the end has little left to do.
 */
import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { localError } from './local-error.ts';

/** Bytes that may wait while a write is under way. */
const waiting = 4 * 1024 * 1024;
/** Bytes between one fdatasync(2) and the next. */
const syncEvery = 32 * 1024 * 1024;

export class FileWriter extends Writable {
  readonly #handle: FileHandle;
  readonly #action: string;
  #bytesWritten = 0;
  #unsynced = 0;
  #syncing: Promise<void> | undefined;

  /** `action` names the work in error messages. The handle stays open: closing it is the caller's. */
  constructor(handle: FileHandle, action: string) {
    super({ highWaterMark: waiting });
    this.#handle = handle;
    this.#action = action;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#writeAll([chunk]).then(() => done(), done);
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.#writeAll(chunks.map(({ chunk }) => chunk)).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    (this.#syncing ?? Promise.resolve()).then(() => done(), done);
  }

  /** writev(2) may take less than all, at a full disk for instance, where only the next call says why. */
  async #writeAll(buffers: Buffer[]): Promise<void> {
    try {
      let rest = buffers;
      while (rest.length > 0) {
        const { bytesWritten } = await this.#handle.writev(rest);
        this.#bytesWritten += bytesWritten;
        this.#unsynced += bytesWritten;
        rest = without(rest, bytesWritten);
      }
      await this.#syncInTime();
    } catch (error) {
      throw localError(error, this.#action);
    }
  }

  /** Waits for the sync before, whose failure is final: a later one would say that all is well. */
  async #syncInTime(): Promise<void> {
    if (this.#unsynced < syncEvery) return;
    this.#unsynced = 0;
    await this.#syncing;
    this.#syncing = this.#handle.datasync().catch((error) => {
      throw localError(error, this.#action);
    });
    this.#syncing.catch(() => {});
  }
}

/** The buffers that remain after the first `bytes`; empty ones go too. */
function without(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return buffers
    .map((buffer) => {
      const rest = buffer.subarray(Math.min(skip, buffer.length));
      skip -= buffer.length - rest.length;
      return rest;
    })
    .filter((buffer) => buffer.length > 0);
}
