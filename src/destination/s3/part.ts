/** One part of an upload while it is being filled and sent: in memory, or in a nameless file. */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';

export interface Part {
  readonly size: number;
  /** Bytes taken so far, at most `size`. */
  readonly length: number;
  /** Takes what fits and returns the rest. */
  append(chunk: Buffer): Promise<Buffer>;
  /** MD5 of the bytes; call it once, when all are in. */
  digest(): Buffer;
  /** The bytes, from the start, as often as asked. */
  body(): Buffer | Readable;
  /** Gives memory or disk back. The bytes are gone. */
  release(): Promise<void>;
}

/** Keeps released buffers of the current size, because fresh ones would be touched, and paid for, again and again. */
export class BufferPool {
  #free: Buffer[] = [];

  take(size: number): Buffer {
    const buffer = this.#free.pop();
    if (buffer?.length === size) return buffer;
    this.#free = [];
    return Buffer.allocUnsafeSlow(size);
  }

  give(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}

export class MemoryPart implements Part {
  length = 0;
  readonly size: number;
  readonly #hash = createHash('md5');
  readonly #pool: BufferPool;
  readonly #buffer: Buffer;

  constructor(size: number, pool: BufferPool) {
    this.size = size;
    this.#pool = pool;
    this.#buffer = pool.take(size);
  }

  async append(chunk: Buffer): Promise<Buffer> {
    const fitting = chunk.subarray(0, this.size - this.length);
    fitting.copy(this.#buffer, this.length);
    this.#hash.update(fitting);
    this.length += fitting.length;
    return chunk.subarray(fitting.length);
  }

  digest(): Buffer {
    return this.#hash.digest();
  }

  body(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  async release(): Promise<void> {
    this.#pool.give(this.#buffer);
  }
}

export class SpooledPart implements Part {
  length = 0;
  readonly size: number;
  readonly #hash = createHash('md5');
  readonly #file: FileHandle;
  readonly #folder: string;

  private constructor(size: number, file: FileHandle, folder: string) {
    this.size = size;
    this.#file = file;
    this.#folder = folder;
  }

  /** The file loses its name at once, so that even a killed process leaves nothing. */
  static async create(size: number, folder: string): Promise<SpooledPart> {
    return spooling(folder, async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, `.dbbackup-spool-${randomUUID()}`);
      const file = await open(path, 'wx+', 0o600);
      await rm(path);
      return new SpooledPart(size, file, folder);
    });
  }

  async append(chunk: Buffer): Promise<Buffer> {
    const fitting = chunk.subarray(0, this.size - this.length);
    await spooling(this.#folder, async () => {
      for (let done = 0; done < fitting.length; ) {
        done += (await this.#file.write(fitting, done, fitting.length - done, this.length + done)).bytesWritten;
      }
    });
    this.#hash.update(fitting);
    this.length += fitting.length;
    return chunk.subarray(fitting.length);
  }

  digest(): Buffer {
    return this.#hash.digest();
  }

  body(): Readable {
    return this.#file.createReadStream({ start: 0, end: this.length - 1, autoClose: false, highWaterMark: 512 * 1024 });
  }

  async release(): Promise<void> {
    await this.#file.close();
  }
}

async function spooling<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
    throw new DbBackupError(full ? 'DISK_FULL' : 'DESTINATION_FAILED', `spooling a part into ${folder} failed`, {
      cause,
      hint: 'The spool folder must be writable and hold two parts: choose another one in `spool`.',
    });
  }
}
