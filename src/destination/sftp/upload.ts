/**
 * A file being written under a temporary name beside its final one, and its way to that name.
 * Guarantees: the final name shows the whole file or nothing, after its size was checked and, where the server can, file
 * and folders were synced; a lost connection leaves at most the temporary name; an answer that was lost after the renaming
 * is recognised.
 *
 * Nothing is overwritten: the renaming is SSH_FXP_RENAME, never posix-rename@openssh.com. OpenSSH makes of it link(2) and
 * unlink(2), which is free of races; on file systems without links it looks and renames (sftp-server.c, process_rename).
 * Other servers may overwrite, so we look first, and two of our own in one process take turns.
 */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Stats } from 'ssh2';
import { DbBackupError } from '../../errors.ts';
import type { StoredObject } from '../destination.ts';
import type { Connection } from './connection.ts';
import { FileWriter } from './file-writer.ts';
import { lstatIfThere, makeFolders, type Place, syncFolders, temporaryPath } from './place.ts';
import type { Session } from './session.ts';
import { codeOf, diskFull, isMissing, isUnsupported, status } from './sftp-error.ts';

const openAttempts = 5;
/** Less room than this, in bytes, explains a refused write. */
const noRoom = 1024 * 1024;
/** Longest wait for a temporary file to be removed after a failure, in ms. */
const discardMs = 5_000;

interface Written {
  readonly path: string;
  readonly bytes: number;
  readonly mtime: number;
}

export class Upload {
  readonly #session: Session;
  readonly #place: Place;
  readonly #action: string;
  #path: string | undefined;

  /** `action` names the work in error messages. */
  constructor(session: Session, place: Place, action: string) {
    this.#session = session;
    this.#place = place;
    this.#action = action;
  }

  /** Takes the whole stream, once. Its own error, or the signal's reason, is thrown as it is. */
  async run(
    stream: Readable,
    signal: AbortSignal,
    publish: (session: Session, written: Written, place: Place) => Promise<void>,
  ): Promise<StoredObject> {
    try {
      const written = await this.#write(stream, signal);
      signal.throwIfAborted();
      await publish(this.#session, written, this.#place);
      return await this.#session.use((connection) => this.#confirm(connection, written));
    } catch (error) {
      await this.#discard();
      throw error;
    }
  }

  /** The connection must last: what was on its way when it broke is known neither to us nor to the server. */
  async #write(stream: Readable, signal: AbortSignal): Promise<Written> {
    const opened = await this.#session.use((connection) => this.#open(connection), { signal });
    const release = this.#session.hold();
    try {
      return await this.#fill(opened, stream, signal);
    } catch (error) {
      if (isRefusedWrite(error) && (await isFull(opened.connection, this.#place))) {
        throw diskFull(this.#action, error);
      }
      throw error;
    } finally {
      release();
    }
  }

  async #open(connection: Connection, attempts = openAttempts): Promise<{ connection: Connection; handle: Buffer }> {
    const path = temporaryPath(this.#place);
    try {
      await makeFolders(connection, this.#place);
      this.#path = path;
      const handle = await connection.call<Buffer>((sftp, done) => sftp.open(path, 'wx', { mode: 0o600 }, done));
      return { connection, handle };
    } catch (error) {
      // A delete beside us may have removed a folder, empty again, since we made it.
      if (isMissing(error) && attempts > 1) return this.#open(connection, attempts - 1);
      throw error;
    }
  }

  async #fill(
    { connection, handle }: { connection: Connection; handle: Buffer },
    stream: Readable,
    signal: AbortSignal,
  ): Promise<Written> {
    const path = this.#path ?? '';
    const writer = new FileWriter(connection, handle, this.#action);
    try {
      await pipeline(stream, writer, { signal });
    } catch (error) {
      void connection.call((sftp, done) => sftp.close(handle, done)).catch(() => undefined);
      signal.throwIfAborted();
      throw error;
    }
    await sync(connection, handle);
    await connection.call((sftp, done) => sftp.close(handle, done));
    const stored = await lstatIfThere(connection, path);
    if (stored?.size === writer.bytesWritten) return { path, bytes: writer.bytesWritten, mtime: stored.mtime };
    throw new DbBackupError(
      'DESTINATION_FAILED',
      `${this.#action} failed: ${writer.bytesWritten} bytes written, ${stored?.size ?? 'none'} stored`,
    );
  }

  async #confirm(connection: Connection, { bytes }: Written): Promise<StoredObject> {
    const found = await lstatIfThere(connection, this.#place.path);
    if (found?.size === bytes) return toObject(this.#place.key, found);
    throw new DbBackupError('DESTINATION_FAILED', `${this.#action} failed: it is not there as it was stored`, {
      hint: 'Someone else removed or changed the file at the same time.',
    });
  }

  /** Best effort: what brought us here is the error worth telling, and `leftovers` finds what could not be removed. */
  async #discard(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    const signal = AbortSignal.timeout(discardMs);
    await this.#session
      .use((connection) => removeFile(connection, path), { signal, retries: 1 })
      .catch(() => undefined);
  }
}

/** Throws OBJECT_EXISTS when the name is taken. */
export async function publishNew(session: Session, written: Written, place: Place): Promise<void> {
  let asked = false;
  await session.use(async (connection) => {
    const there = await lstatIfThere(connection, place.path);
    if (there !== undefined && !(asked && (await isOurs(connection, there, written)))) throw objectExists(place);
    if (there === undefined) {
      asked = true;
      await renameNew(connection, written.path, place);
    }
    await removeFile(connection, written.path);
    await syncFolders(connection, place);
  });
}

/** Puts the temporary file in the place of an older one: atomically where the server knows posix-rename@openssh.com. */
export async function publishOver(session: Session, { path }: Written, place: Place): Promise<void> {
  await session.use(async (connection) => {
    if ((await lstatIfThere(connection, path)) === undefined) return; // The answer to the first attempt was lost.
    try {
      await connection.call((sftp, done) => sftp.ext_openssh_rename(path, place.path, done));
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      await removeFile(connection, place.path);
      await connection.call((sftp, done) => sftp.rename(path, place.path, done));
    }
    await syncFolders(connection, place);
  });
}

async function renameNew(connection: Connection, from: string, place: Place): Promise<void> {
  try {
    await connection.call((sftp, done) => sftp.rename(from, place.path, done));
  } catch (error) {
    if (!connection.lost && (await lstatIfThere(connection, place.path)) !== undefined) throw objectExists(place);
    throw error;
  }
}

/** Nothing was there when we asked for the renaming; what is there now came from it if our temporary file is gone, or is another name of it. */
async function isOurs(connection: Connection, there: Stats, { path, bytes, mtime }: Written): Promise<boolean> {
  if (there.size !== bytes) return false;
  const temporary = await lstatIfThere(connection, path);
  return temporary === undefined || (there.mtime === mtime && temporary.mtime === mtime);
}

/** Waits until the bytes are on the disk. A failure is final; a server without the extension cannot be asked. */
async function sync(connection: Connection, handle: Buffer): Promise<void> {
  try {
    await connection.call((sftp, done) => sftp.ext_openssh_fsync(handle, done));
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}

export async function removeFile(connection: Connection, path: string): Promise<void> {
  try {
    await connection.call((sftp, done) => sftp.unlink(path, done));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Bytes that our user can still store under the root; undefined where the server does not say, or there is no root yet. */
export async function freeBytesAt(connection: Connection, root: string): Promise<number | undefined> {
  try {
    const { f_bavail, f_frsize, f_blocks } = await connection.call<Record<string, number>>((sftp, done) =>
      sftp.ext_openssh_statvfs(root, done),
    );
    return f_blocks === 0 ? undefined : Number(f_bavail) * Number(f_frsize);
  } catch (error) {
    if (isUnsupported(error) || isMissing(error)) return undefined;
    throw error;
  }
}

/** All that OpenSSH says when the disk is full. */
function isRefusedWrite(error: unknown): boolean {
  return codeOf(error instanceof DbBackupError ? error.cause : error) === status.failure;
}

async function isFull(connection: Connection, { root }: Place): Promise<boolean> {
  const free = await freeBytesAt(connection, root).catch(() => undefined);
  return free !== undefined && free < noRoom;
}

export function toObject(key: string, { size, mtime }: { size: number; mtime: number }): StoredObject {
  // No etag: version 3 of the protocol tells the time in whole seconds only.
  return { key, size, modifiedAt: new Date(mtime * 1000) };
}

/** For a name that is taken, or was taken by another writer just now. */
export function objectExists({ key }: Place): DbBackupError {
  return new DbBackupError('OBJECT_EXISTS', `${key} exists already and is never overwritten`, {
    hint: 'Another run published the same name; what it stored was not touched.',
  });
}
