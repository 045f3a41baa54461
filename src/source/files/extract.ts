/**
 * An archive into a new, private folder. Guarantees: nothing is created outside it, because no link exists in it until
 * all else is there, and no name is used twice; setuid and owners only where they were asked for or may be set.
 * Refuses: absolute names, `..`, links that lead out, devices, anything that is no file, folder or link.
 */
import { closeSync, constants, fchmodSync, fchownSync, futimesSync, openSync, writeSync } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  symlink,
  utimes,
} from 'node:fs/promises';
import { Writable } from 'node:stream';
import { DbBackupError, wrapError } from '../../errors.ts';
import { leadsOutside, partsInside } from './inside.ts';
import type { TarEntry } from './tar-header.ts';
import { type TarEvent, TarReader } from './tar-reader.ts';

export interface ExtractPolicy {
  readonly outsideLinks: boolean;
  readonly setuid: boolean;
  /** Where the folder will lie in the end: an absolute link into it stays inside. */
  readonly finalPath: string;
}

const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
const slash = Buffer.from('/');
/** So much of nothing becomes a hole. */
const holeBytes = 64 * 1024;
const zeros = Buffer.alloc(holeBytes);
const mayOwn = process.getuid?.() === 0;

/** Up to this size a file is written in one go. */
const smallBytes = 64 * 1024;

interface SmallFile {
  readonly at: Buffer;
  readonly entry: TarEntry;
  readonly pieces: Buffer[];
}

export class Extractor extends Writable {
  readonly #root: Buffer;
  readonly #policy: ExtractPolicy;
  readonly #reader = new TarReader();
  /** What is set last: writing into a folder changes its time, and may be forbidden by its mode. */
  readonly #folders: { readonly at: Buffer; readonly entry: TarEntry }[] = [];
  readonly #symlinks: { readonly at: Buffer; readonly entry: TarEntry }[] = [];
  readonly #made = new Set<string>(['']);
  #file: { readonly handle: FileHandle; readonly entry: TarEntry; position: number } | undefined;
  #small: SmallFile | undefined;
  #droppedSetuid = 0;

  constructor(root: string, policy: ExtractPolicy) {
    super({ highWaterMark: 1024 * 1024 });
    this.#root = Buffer.from(root);
    this.#policy = policy;
  }

  /** Once it has finished. */
  warnings(): readonly string[] {
    if (this.#droppedSetuid === 0) return [];
    return [`${this.#droppedSetuid} files have lost their setuid or setgid bit; "setuid: true" restores it`];
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#take(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const closed = this.#file?.handle.close().catch(() => {}) ?? Promise.resolve();
    void closed.then(() => done(error));
  }

  async #take(chunk: Buffer): Promise<void> {
    for (const event of this.#reader.push(chunk)) await this.#handle(event);
  }

  async #handle(event: TarEvent): Promise<void> {
    if (event.kind === 'data') await this.#write(event.data);
    else if (event.kind === 'entryEnd') await this.#endFile();
    else await this.#start(event.entry);
  }

  async #start(entry: TarEntry): Promise<void> {
    const parts = partsInside(entry.path);
    if (parts === undefined) throw refused(entry.path, 'its name leads out of the target');
    const at = this.#at(parts);
    try {
      await this.#makeParents(parts);
      await this.#make(entry, parts, at);
    } catch (cause) {
      throw restoreError(entry, cause);
    }
  }

  async #make(entry: TarEntry, parts: readonly Buffer[], at: Buffer): Promise<void> {
    if (entry.type === 'folder') {
      await this.#makeFolder(parts, at);
      this.#folders.push({ at, entry });
    } else if (entry.type === 'file' && entry.size <= smallBytes) {
      this.#small = { at, entry, pieces: [] };
    } else if (entry.type === 'file') {
      const handle = await open(at, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
      this.#file = { handle, entry, position: 0 };
    } else if (entry.type === 'hardlink') await this.#makeHardlink(entry, at);
    else if (entry.type === 'symlink') this.#noteSymlink(entry, parts, at);
    else throw refused(entry.path, 'it is a device, a pipe or something unknown');
  }

  #at(parts: readonly Buffer[]): Buffer {
    return Buffer.concat([this.#root, ...parts.flatMap((part) => [slash, part])]);
  }

  async #makeParents(parts: readonly Buffer[]): Promise<void> {
    for (let depth = 1; depth < parts.length; depth += 1) {
      const above = parts.slice(0, depth);
      await this.#makeFolder(above, this.#at(above));
    }
  }

  async #makeFolder(parts: readonly Buffer[], at: Buffer): Promise<void> {
    const key = Buffer.concat(parts.flatMap((part) => [slash, part])).toString('latin1');
    if (this.#made.has(key)) return;
    await mkdir(at, { mode: 0o700 });
    this.#made.add(key);
  }

  async #makeHardlink(entry: TarEntry, at: Buffer): Promise<void> {
    const parts = partsInside(entry.linkPath);
    if (parts === undefined) throw refused(entry.path, `it is a link to ${entry.linkPath}, out of the target`);
    const first = this.#at(parts);
    const isFile = await lstat(first).then(
      (found) => found.isFile(),
      () => false,
    );
    if (!isFile) throw refused(entry.path, `it is a link to ${entry.linkPath}, which the archive does not hold`);
    await link(first, at);
  }

  #noteSymlink(entry: TarEntry, parts: readonly Buffer[], at: Buffer): void {
    const path = Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [slash, part])));
    if (!this.#policy.outsideLinks && leadsOutside(path, entry.linkPath, this.#policy.finalPath)) {
      throw refused(
        entry.path,
        `it is a link to ${entry.linkPath}, out of the target`,
        'Where that is meant: "outsideLinks: true" in the source, or --to files:///path?outsideLinks=true.',
      );
    }
    this.#symlinks.push({ at, entry });
  }

  async #write(data: Buffer): Promise<void> {
    this.#small?.pieces.push(data);
    const file = this.#file;
    if (file === undefined) return;
    for (let at = 0; at < data.length; at += holeBytes) {
      const piece = data.subarray(at, at + holeBytes);
      if (!piece.equals(piece.length === holeBytes ? zeros : zeros.subarray(0, piece.length))) {
        await writeAll(file.handle, piece, file.position);
      }
      file.position += piece.length;
    }
  }

  async #endFile(): Promise<void> {
    if (this.#small !== undefined) this.#writeSmall(this.#small);
    this.#small = undefined;
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { handle, entry, position } = file;
    try {
      // The end may be a hole.
      await handle.truncate(position);
      if (mayOwn) await handle.chown(entry.uid, entry.gid);
      await handle.chmod(this.#modeOf(entry));
      await handle.utimes(timeOf(entry), timeOf(entry));
    } finally {
      await handle.close();
    }
  }

  /** A small file is nothing but calls, and one that leaves the thread costs ten times as much. */
  #writeSmall({ at, entry, pieces }: SmallFile): void {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(at, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
      for (const piece of pieces) for (let done = 0; done < piece.length; ) done += writeSync(descriptor, piece, done);
      if (mayOwn) fchownSync(descriptor, entry.uid, entry.gid);
      fchmodSync(descriptor, this.#modeOf(entry));
      futimesSync(descriptor, timeOf(entry), timeOf(entry));
    } catch (cause) {
      throw restoreError(entry, cause);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  #modeOf({ mode }: TarEntry): number {
    if (this.#policy.setuid || (mode & 0o6000) === 0) return mode;
    this.#droppedSetuid += 1;
    return mode & ~0o6000;
  }

  async #finish(): Promise<void> {
    this.#reader.finish();
    for (const { at, entry } of this.#symlinks) await makeSymlink(at, entry);
    // Innermost first.
    for (const { at, entry } of this.#folders.reverse()) {
      if (mayOwn) await chown(at, entry.uid, entry.gid);
      await chmod(at, entry.mode);
      await utimes(at, timeOf(entry), timeOf(entry));
    }
  }
}

async function makeSymlink(at: Buffer, entry: TarEntry): Promise<void> {
  try {
    await symlink(entry.linkPath, at);
  } catch (cause) {
    throw restoreError(entry, cause);
  }
  if (mayOwn) await lchown(at, entry.uid, entry.gid);
  await lutimes(at, timeOf(entry), timeOf(entry));
}

async function writeAll(handle: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    at += (await handle.write(data, at, data.length - at, position + at)).bytesWritten;
  }
}

/** As exact as Node sets times: about a microsecond. It takes a negative number for "now", but not a date before 1970. */
function timeOf({ mtimeNs }: TarEntry): number | Date {
  return mtimeNs < 0n ? new Date(Number(mtimeNs / 1_000_000n)) : Number(mtimeNs) / 1e9;
}

function restoreError({ path }: TarEntry, cause: unknown): DbBackupError {
  if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return refused(path, 'it is there twice');
  return wrapError(cause, 'TARGET_FAILED', `${path} cannot be restored`);
}

function refused(path: Buffer, why: string, hint?: string): DbBackupError {
  return new DbBackupError('TARGET_FAILED', `the archive holds ${path}, which is not restored: ${why}`, {
    hint:
      hint ?? 'No backup of ours holds such a thing. Look at it with tar -tvf (dbbackup restore … --output file.tar).',
  });
}
