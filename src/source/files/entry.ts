import type { BigIntStats } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { leadsOutside } from './inside.ts';
import type { Notes } from './notes.ts';
import type { TarEntry } from './tar-header.ts';
import { type Found, unlessVanished } from './walk.ts';

export type WritableEntry = TarEntry & { readonly type: Exclude<TarEntry['type'], 'other'> };

const nothing = Buffer.alloc(0);

/** Turns what was found into entries. One instance for one archive: it knows which files have had a name before. */
export class EntryMaker {
  /** Device and inode of files with several names → the first of them. */
  readonly #seen = new Map<string, Buffer>();
  readonly #notes: Notes;
  readonly #root: string;
  readonly #tellOutside: boolean;

  constructor(root: string, tellOutside: boolean, notes: Notes) {
    this.#root = root;
    this.#tellOutside = tellOutside;
    this.#notes = notes;
  }

  /** Undefined for what an archive cannot bring back: sockets, pipes, devices. */
  async make({ path, at, stat }: Found): Promise<WritableEntry | undefined> {
    if (stat.isDirectory()) return entryOf(path, 'folder', stat);
    if (stat.isSymbolicLink()) return await this.#symlink(path, at, stat);
    if (!stat.isFile()) {
      this.#notes.add('skipped', path, `${path} is a socket, a pipe or a device; it is not in the backup`);
      return undefined;
    }
    const first = stat.nlink > 1n ? this.#firstName(path, stat) : undefined;
    if (first !== undefined) return { ...entryOf(path, 'hardlink', stat), linkPath: first };
    return { ...entryOf(path, 'file', stat), size: Number(stat.size) };
  }

  /** Of a file whose first name could not be read after all: the next name is to be a file again. */
  forget(stat: BigIntStats): void {
    this.#seen.delete(`${stat.dev}:${stat.ino}`);
  }

  #firstName(path: Buffer, stat: BigIntStats): Buffer | undefined {
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#seen.get(key);
    if (first === undefined) this.#seen.set(key, path);
    return first;
  }

  async #symlink(path: Buffer, at: Buffer, stat: BigIntStats): Promise<WritableEntry | undefined> {
    const linkPath = await unlessVanished(path, this.#notes, () => readlink(at, { encoding: 'buffer' }));
    if (linkPath === undefined) return undefined;
    if (this.#tellOutside && leadsOutside(path, linkPath, this.#root)) {
      const line = `${path} links to ${linkPath}, outside the folder: restored only with "outsideLinks: true"`;
      this.#notes.add('outside', path, line);
    }
    return { ...entryOf(path, 'symlink', stat), linkPath };
  }
}

function entryOf<Type extends WritableEntry['type']>(path: Buffer, type: Type, stat: BigIntStats) {
  const { mode, uid, gid, mtimeNs } = stat;
  const numbers = { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid) };
  return { path, type, ...numbers, size: 0, mtimeNs, linkPath: nothing };
}

/** The folder itself, first in the archive. */
export function rootEntry(stat: BigIntStats): WritableEntry {
  return entryOf(Buffer.from('.'), 'folder', stat);
}
