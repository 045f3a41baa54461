/**
 * Backups in a folder of a server that speaks SFTP.
 * Guarantees: the server's host key is checked before anything is sent; an object appears whole or not at all (how far a
 * server can promise that nothing is overwritten: upload.ts); files 0600 and folders 0700; a lost connection is replaced
 * for everything that may be repeated, and reading goes on where it broke.
 * Refuses: keys that are unsafe or look like our unfinished files; a put that cannot fit.
 */
import { userInfo } from 'node:os';
import { addAbortSignal, Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from '../destination.ts';
import { InTurn } from '../in-turn.ts';
import { assertKey, folderOf, isKey, nameOf } from '../key.ts';
import { isTemporaryName, standsFor, startedAtOf } from '../temporary-name.ts';
import { closeFile, Download, type OpenFile, openFile } from './download.ts';
import type { SftpOptions } from './options.ts';
import { haveFolders, lstatIfThere, type Place, placeOf, removeEmptyFolders, syncFolders } from './place.ts';
import { Session } from './session.ts';
import { isMissing, sftpError } from './sftp-error.ts';
import { freeBytesAt, objectExists, publishNew, publishOver, removeFile, toObject, Upload } from './upload.ts';
import { type FoundFile, walk } from './walk.ts';

export class SftpDestination implements Destination {
  readonly capabilities = { checksum: false };
  readonly label: string;
  readonly #root: string;
  readonly #session: Session;
  readonly #inTurn = new InTurn();

  constructor(options: SftpOptions, baseFolder: string) {
    const { host, port, user = userInfo().username, path } = options;
    this.#root = path.replace(/(?<=.)\/+$/, '');
    this.#session = new Session(options, baseFolder);
    const where = path.startsWith('/') ? path : `/~/${path}`;
    this.label = `sftp://${user}@${host}${port === undefined ? '' : `:${port}`}${where}`;
  }

  async put(key: string, stream: Readable, { signal, estimatedBytes }: PutOptions): Promise<StoredObject> {
    // An error that comes while we prepare has no listener yet; the pipeline sees it later.
    stream.on('error', () => undefined);
    const action = `storing ${key} in ${this.label}`;
    try {
      const place = placeOf(this.#root, key);
      signal.throwIfAborted();
      await this.#assertFree(place, signal);
      await this.#assertRoom(estimatedBytes, action, signal);
      const upload = new Upload(this.#session, place, action);
      return await upload.run(stream, signal, (...what) => this.#inTurn.run(key, () => publishNew(...what)));
    } catch (error) {
      const ofStream = error === stream.errored || isPrematureClose(error);
      stream.destroy();
      throw signal.aborted || ofStream ? error : sftpError(error, action);
    }
  }

  async replace(key: string, content: Uint8Array, { signal }: PutOptions): Promise<StoredObject> {
    const place = placeOf(this.#root, key);
    const action = `writing ${key} in ${this.label}`;
    return this.#attempt(action, signal, () =>
      this.#inTurn.run(key, () => {
        const upload = new Upload(this.#session, place, action);
        return upload.run(Readable.from([Buffer.from(content)]), signal, publishOver);
      }),
    );
  }

  async get(key: string, { start = 0, signal }: GetOptions = {}): Promise<Readable> {
    const place = placeOf(this.#root, key);
    const action = `reading ${key} from ${this.label}`;
    const file = await this.#attempt(action, signal, () => this.#openObject(place, signal));
    if (signal?.aborted) await closeFile(file);
    signal?.throwIfAborted();
    const download = new Download(this.#session, place.path, file, start, action);
    return signal === undefined ? download : addAbortSignal(signal, download);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const place = placeOf(this.#root, key);
    return this.#attempt(`looking up ${key} in ${this.label}`, undefined, () =>
      this.#session.use(async (connection) => {
        if (!(await haveFolders(connection, place.folders))) return undefined;
        const found = await lstatIfThere(connection, place.path);
        return found?.isFile() ? toObject(key, found) : undefined;
      }),
    );
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    const base = folderOf(prefix);
    for await (const { name, key, attributes } of this.#files(base, signal)) {
      if (!isTemporaryName(name) && key.startsWith(prefix) && isKey(key)) yield toObject(key, attributes);
    }
  }

  async delete(key: string): Promise<void> {
    const place = placeOf(this.#root, key);
    await this.#attempt(`deleting ${key} from ${this.label}`, undefined, () =>
      this.#session.use(async (connection) => {
        if (!(await haveFolders(connection, place.folders))) return;
        if ((await lstatIfThere(connection, place.path))?.isFile()) {
          await removeFile(connection, place.path);
          await syncFolders(connection, place);
        }
        await removeEmptyFolders(connection, place);
      }),
    );
  }

  async *leftovers(folder = ''): AsyncIterable<Leftover> {
    for await (const file of this.#files(folder)) if (isTemporaryName(file.name)) yield this.#leftover(file);
  }

  async freeBytes(): Promise<number | undefined> {
    return this.#attempt(`asking ${this.label} for its free space`, undefined, () =>
      this.#session.use((connection) => freeBytesAt(connection, this.#root)),
    );
  }

  /** Early, so that hours of dumping do not end at a taken name; the publishing decides. */
  async #assertFree(place: Place, signal: AbortSignal): Promise<void> {
    const taken = await this.#session.use(
      async (connection) =>
        (await haveFolders(connection, place.folders)) && (await lstatIfThere(connection, place.path)) !== undefined,
      { signal },
    );
    if (taken) throw objectExists(place);
  }

  async #assertRoom(expected: number | undefined, action: string, signal: AbortSignal): Promise<void> {
    if (expected === undefined) return;
    const free = await this.#session.use((connection) => freeBytesAt(connection, this.#root), { signal });
    if (free === undefined || expected <= free) return;
    const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
    const problem = `about ${mebibytes(expected)} expected, ${mebibytes(free)} free`;
    throw new DbBackupError('DISK_FULL', `${action} refused: ${problem}`, {
      hint: 'Free some space on the server, keep fewer backups, or choose another path; nothing was written.',
    });
  }

  async #openObject(place: Place, signal: AbortSignal | undefined): Promise<OpenFile> {
    const file = await this.#session.use(
      async (connection) => {
        if (!(await haveFolders(connection, place.folders))) return undefined;
        if (!(await lstatIfThere(connection, place.path))?.isFile()) return undefined;
        return openFile(connection, place.path).catch((error) => {
          if (isMissing(error)) return undefined;
          throw error;
        });
      },
      { signal },
    );
    if (file !== undefined) return file;
    throw new DbBackupError('OBJECT_MISSING', `there is no ${place.key} in ${this.label}`);
  }

  async *#files(base: string, signal?: AbortSignal): AsyncGenerator<FoundFile> {
    try {
      yield* walk(this.#session, this.#root, base, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw sftpError(error, `listing ${this.label}`);
    }
  }

  #leftover({ key, name, path, attributes }: FoundFile): Leftover {
    const folder = folderOf(key);
    return {
      key,
      startedAt: startedAtOf(name) ?? new Date(attributes.mtime * 1000),
      bytes: attributes.size,
      belongsTo: (other) => folderOf(other) === folder && standsFor(name, nameOf(other)),
      remove: () =>
        this.#attempt(`removing ${key} from ${this.label}`, undefined, () =>
          this.#session.use((connection) => removeFile(connection, path)),
        ),
    };
  }

  async #attempt<T>(action: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw sftpError(error, action);
    }
  }
}

/** A stream that was destroyed without an error. */
function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
