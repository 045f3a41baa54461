/**
 * A file being written under a temporary name beside its final one.
 * Guarantees: 0600, never through a link, never onto something that exists; `seal` resolves after the bytes are on the
 * disk; `discard` leaves nothing.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import { temporaryName } from '../temporary-name.ts';
import { FileWriter } from './file-writer.ts';
import { attempt, errnoOf } from './local-error.ts';
import { makeFolders, type Place } from './place.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const openAttempts = 20;

export class TemporaryFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #action: string;

  private constructor(path: string, handle: FileHandle, action: string) {
    this.path = path;
    this.#handle = handle;
    this.#action = action;
  }

  /** Makes the folders and the empty file. */
  static async create(place: Place, action: string): Promise<TemporaryFile> {
    const path = join(dirname(place.path), temporaryName(basename(place.path)));
    return new TemporaryFile(path, await attempt(action, () => openNew(place, path)), action);
  }

  /** Takes the whole stream. Its own error, or the signal's reason, is thrown as it is. */
  async fill(stream: Readable, signal: AbortSignal): Promise<void> {
    const writer = new FileWriter(this.#handle, this.#action);
    try {
      await pipeline(stream, writer, { signal });
    } finally {
      signal.throwIfAborted();
    }
    await attempt(this.#action, () => this.#seal(writer.bytesWritten));
  }

  /** A failed fsync is final: the kernel may have dropped the pages it could not write, and a second one would lie. */
  async #seal(bytes: number): Promise<void> {
    await this.#handle.sync();
    const { size } = await this.#handle.stat();
    await this.#handle.close();
    if (size !== bytes) {
      throw new DbBackupError('DESTINATION_FAILED', `${this.#action} failed: ${bytes} bytes written, ${size} stored`);
    }
  }

  /** Best effort: what brought us here is the error worth telling, and `leftovers` finds what could not be removed. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.path, { force: true }).catch(() => undefined);
  }
}

async function openNew(place: Place, path: string, attempts = openAttempts): Promise<FileHandle> {
  try {
    await makeFolders(place);
    return await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    // A delete beside us may have removed a folder, empty again, since we made it.
    if (errnoOf(error) === 'ENOENT' && attempts > 1) return openNew(place, path, attempts - 1);
    throw error;
  }
}
