/**
 * Backups in a folder of this machine, or of anything mounted into it.
 * Guarantees: an object appears whole or not at all, after file and folders were synced to disk; files 0600 and folders
 * 0700 whatever the umask; nothing is overwritten; a key leads neither out of the folder nor through a symbolic link.
 * Refuses: keys that are unsafe or look like our unfinished files; a put that cannot fit; to believe a failed fsync.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { Finding } from '../../finding.ts';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from '../destination.ts';
import { assertKey, folderOf, isKey } from '../key.ts';
import { isTemporaryName, standsFor, startedAtOf } from '../temporary-name.ts';
import { checkFolder } from './check.ts';
import { FileReader } from './file-reader.ts';
import { assertRoom, freeBytesAt } from './free-space.ts';
import { attempt, errnoOf, isMissing, localError } from './local-error.ts';
import { haveFolders, lstatIfThere, type Place, placeOf, removeEmptyFolders, syncRemainingFolders } from './place.ts';
import { objectExists, publishNew, publishOver } from './publish.ts';
import { TemporaryFile } from './temporary-file.ts';
import { type FoundFile, walk } from './walk.ts';

/** Files of a listing; one lstat(2) after the other would make a long one wait ten times as long. */
const lookedUpAtOnce = 128;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

export class LocalDestination implements Destination {
  readonly capabilities = { checksum: false };
  readonly label: string;
  readonly #root: string;

  get folder(): string {
    return this.#root;
  }

  /** `root`: absolute. `label`: the path as the user wrote it. */
  constructor(root: string, label: string) {
    this.#root = root;
    this.label = label;
  }

  async put(key: string, stream: Readable, options: PutOptions): Promise<StoredObject> {
    // An error that comes while we prepare has no listener yet; the pipeline sees it later.
    stream.on('error', () => undefined);
    try {
      const place = placeOf(this.#root, key);
      const action = `storing ${key} in ${this.label}`;
      options.signal.throwIfAborted();
      await attempt(action, () => assertFree(place));
      await attempt(action, () => assertRoom(this.#root, options.estimatedBytes, action));
      return await this.#store(place, stream, options.signal, action, publishNew);
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  async replace(key: string, content: Uint8Array, options: PutOptions): Promise<StoredObject> {
    const place = placeOf(this.#root, key);
    options.signal.throwIfAborted();
    const action = `writing ${key} in ${this.label}`;
    return this.#store(place, Readable.from([content]), options.signal, action, publishOver);
  }

  async get(key: string, options: GetOptions = {}): Promise<Readable> {
    const place = placeOf(this.#root, key);
    const action = `reading ${key} from ${this.label}`;
    options.signal?.throwIfAborted();
    const found = await attempt(action, () => openObject(place));
    if (found === undefined) throw new DbBackupError('OBJECT_MISSING', `there is no ${key} in ${this.label}`);
    const reader = new FileReader(found.handle, options.start ?? 0, found.size, action);
    return options.signal === undefined ? reader : addAbortSignal(options.signal, reader);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const place = placeOf(this.#root, key);
    return attempt(`looking up ${key} in ${this.label}`, async () => {
      if (!(await haveFolders(place.folders))) return undefined;
      return objectAt(key, place.path);
    });
  }

  async *list(prefix: string, options: { signal?: AbortSignal } = {}): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    const base = folderOf(prefix);
    let batch: FoundFile[] = [];
    for await (const file of this.#files(base, options.signal)) {
      if (isTemporaryName(file.name) || !file.key.startsWith(prefix) || !isKey(file.key)) continue;
      batch.push(file);
      if (batch.length < lookedUpAtOnce) continue;
      yield* await this.#objectsAt(batch);
      batch = [];
    }
    yield* await this.#objectsAt(batch);
  }

  async delete(key: string): Promise<void> {
    const place = placeOf(this.#root, key);
    await attempt(`deleting ${key} from ${this.label}`, async () => {
      if (!(await haveFolders(place.folders))) return;
      if (!(await lstatIfThere(place.path))?.isFile()) return;
      await rm(place.path, { force: true });
      await syncRemainingFolders(place);
    });
    await removeEmptyFolders(place);
  }

  async *leftovers(folder = ''): AsyncIterable<Leftover> {
    for await (const file of this.#files(folder)) {
      if (!isTemporaryName(file.name)) continue;
      const found = await attempt(`looking for unfinished files in ${this.label}`, () => lstatIfThere(file.path));
      if (found !== undefined) yield this.#leftover(file, found);
    }
  }

  async freeBytes(): Promise<number | undefined> {
    return attempt(`asking ${this.label} for its free space`, () => freeBytesAt(this.#root));
  }

  check(): AsyncIterable<Finding> {
    return checkFolder(this.#root);
  }

  async #store(
    place: Place,
    stream: Readable,
    signal: AbortSignal,
    action: string,
    publish: (temporary: string, place: Place) => Promise<void>,
  ): Promise<StoredObject> {
    const temporary = await TemporaryFile.create(place, action);
    try {
      await temporary.fill(stream, signal);
      await attempt(action, () => publish(temporary.path, place));
    } catch (error) {
      await temporary.discard();
      throw error;
    }
    return attempt(action, async () => toObject(place.key, await lstat(place.path)));
  }

  /** `base`: '' or a key with a slash behind. */
  async *#files(base: string, signal?: AbortSignal): AsyncGenerator<FoundFile> {
    const { folders } = placeOf(this.#root, `${base}any`);
    try {
      if (await haveFolders(folders)) yield* walk(folders.at(-1) ?? this.#root, base, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw localError(error, `listing ${this.label}`);
    }
  }

  async #objectsAt(files: readonly FoundFile[]): Promise<StoredObject[]> {
    const found = await attempt(`listing ${this.label}`, () =>
      Promise.all(files.map((file) => objectAt(file.key, file.path))),
    );
    return found.filter((object) => object !== undefined);
  }

  #leftover(file: FoundFile, found: Stats): Leftover {
    return {
      key: file.key,
      startedAt: startedAtOf(file.name) ?? found.mtime,
      bytes: found.size,
      belongsTo: (key) => dirname(key) === dirname(file.key) && standsFor(file.name, basename(key)),
      remove: () => attempt(`removing ${file.key} from ${this.label}`, () => rm(file.path, { force: true })),
    };
  }
}

/** Early, so that hours of dumping do not end at a taken name; the publishing decides. */
async function assertFree(place: Place): Promise<void> {
  if (!(await haveFolders(place.folders))) return;
  if ((await lstatIfThere(place.path)) !== undefined) throw objectExists(place);
}

async function objectAt(key: string, path: string): Promise<StoredObject | undefined> {
  const found = await lstatIfThere(path);
  return found?.isFile() ? toObject(key, found) : undefined;
}

function toObject(key: string, { ino, mtimeMs, mtime, size }: Stats): StoredObject {
  return { key, size, modifiedAt: mtime, etag: `${ino}-${mtimeMs}-${size}` };
}

/** O_NONBLOCK: a named pipe under that name must not hold us up. */
async function openObject(place: Place): Promise<{ handle: FileHandle; size: number } | undefined> {
  if (!(await haveFolders(place.folders))) return undefined;
  try {
    const handle = await open(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, size: stats.size };
    await handle.close();
    return undefined;
  } catch (error) {
    if (isMissing(error) || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  }
}
