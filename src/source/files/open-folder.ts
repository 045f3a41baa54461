/**
 * Folders held open while they are walked, and what is in them reached through the descriptor (Linux): nobody can put a
 * link in the place of a folder in between, and no path becomes too long. Elsewhere by path. Source: proc(5), /proc/pid/fd.
 */
import { existsSync } from 'node:fs';
import { constants, type FileHandle, open, readdir } from 'node:fs/promises';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const throughDescriptors = existsSync('/proc/self/fd');
const slash = Buffer.from('/');

export class OpenFolder {
  readonly #handle: FileHandle;
  readonly #path: Buffer;

  private constructor(handle: FileHandle, path: Buffer) {
    this.#handle = handle;
    this.#path = throughDescriptors ? Buffer.from(`/proc/self/fd/${handle.fd}`) : path;
  }

  static async open(path: Buffer): Promise<OpenFolder> {
    return new OpenFolder(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
  }

  at(name: Buffer): Buffer {
    return Buffer.concat([this.#path, slash, name]);
  }

  /** Names in the order of their bytes. */
  async names(): Promise<Buffer[]> {
    return (await readdir(this.#path, { encoding: 'buffer' })).sort(Buffer.compare);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** To read a file, never what a link points at, and never to wait for a pipe's other end. */
export const readFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** Throws ENOENT for what has become something else than a file. */
export async function openFile(path: Buffer): Promise<FileHandle> {
  const file = await open(path, readFlags);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw Object.assign(new Error('no file any more'), { code: 'ENOENT' });
}
