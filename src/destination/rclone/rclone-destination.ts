/**
 * Backups wherever rclone can store them.
 * Guarantees: a stream goes to a temporary name, its size is compared, and only then it is moved to its own; a stream that
 * broke is never published, because rclone is killed before its input ends; names are looked up before and after the move.
 * What the remote decides: whether the move is atomic, and whether two machines that publish the very same name at the
 * same moment are kept apart (rclone has no conditional writes). `replace` is one plain write, which most clouds make atomic.
 */
import { addAbortSignal, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import { withBackoff } from '../backoff.ts';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from '../destination.ts';
import { InTurn } from '../in-turn.ts';
import { assertKey, folderOf, isKey, nameOf } from '../key.ts';
import { isTemporaryName, standsFor, startedAtOf, temporaryName } from '../temporary-name.ts';
import { download } from './download.ts';
import type { RcloneOptions } from './options.ts';
import { isPassing, rcloneError } from './rclone-error.ts';
import { RcloneProgram } from './rclone-program.ts';

const defaultRetries = 3;
/** Longest wait for a temporary object to be removed after a failure, in ms. */
const discardMs = 20_000;

export class RcloneDestination implements Destination {
  readonly capabilities = { checksum: false };
  readonly label: string;
  readonly #rclone: RcloneProgram;
  readonly #retries: number;
  readonly #inTurn = new InTurn();

  constructor(options: RcloneOptions, baseFolder: string) {
    this.#rclone = new RcloneProgram(options, baseFolder);
    this.#retries = options.retries ?? defaultRetries;
    this.label = options.remote;
  }

  async put(key: string, stream: Readable, { signal }: PutOptions): Promise<StoredObject> {
    // An error that comes while we prepare has no listener yet; the pipeline sees it later.
    stream.on('error', () => undefined);
    try {
      assertOurKey(key);
      // Early, so that hours of dumping do not end at a taken name.
      if ((await this.#repeated(() => this.#rclone.stat(key, signal), signal)) !== undefined) throw objectExists(key);
      return await this.#store(key, stream, signal);
    } catch (error) {
      stream.destroy();
      signal.throwIfAborted();
      throw error instanceof StreamBroke ? error.cause : rcloneError(error, `storing ${key} in ${this.label}`);
    }
  }

  async replace(key: string, content: Uint8Array, { signal }: PutOptions): Promise<StoredObject> {
    assertOurKey(key);
    return this.#attempt(`writing ${key} in ${this.label}`, signal, async () => {
      const program = this.#rclone.receive(key, signal);
      program.stdin.end(content);
      await program.ended;
      return this.#confirm(key, content.length);
    });
  }

  async get(key: string, { start = 0, signal }: GetOptions = {}): Promise<Readable> {
    assertOurKey(key);
    const action = `reading ${key} from ${this.label}`;
    const object = await this.#attempt(action, signal, () => this.#rclone.stat(key, signal));
    if (object === undefined) throw new DbBackupError('OBJECT_MISSING', `there is no ${key} in ${this.label}`);
    const stream = download(this.#rclone, { object, start, action, retries: this.#retries });
    return signal === undefined ? stream : addAbortSignal(signal, stream);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    assertOurKey(key);
    return this.#attempt(`looking up ${key} in ${this.label}`, undefined, () => this.#rclone.stat(key));
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    const folder = folderOf(prefix);
    for await (const object of this.#objects(folder, [], signal)) {
      const { key } = object;
      if (key.startsWith(prefix) && isKey(key) && !isTemporaryName(nameOf(key))) yield object;
    }
  }

  async delete(key: string): Promise<void> {
    assertOurKey(key);
    await this.#attempt(`deleting ${key} from ${this.label}`, undefined, () => this.#rclone.remove(key));
  }

  async *leftovers(folder = ''): AsyncIterable<Leftover> {
    for await (const { key, size, modifiedAt } of this.#objects(folder, ['--include', '.dbbackup-*'])) {
      const name = nameOf(key);
      if (!isTemporaryName(name)) continue;
      yield {
        key,
        startedAt: startedAtOf(name) ?? modifiedAt,
        bytes: size,
        belongsTo: (other) => folderOf(other) === folderOf(key) && standsFor(name, nameOf(other)),
        remove: () => this.#attempt(`removing ${key} from ${this.label}`, undefined, () => this.#rclone.remove(key)),
      };
    }
  }

  async freeBytes(): Promise<number | undefined> {
    return this.#attempt(`asking ${this.label} for its free space`, undefined, () => this.#rclone.freeBytes());
  }

  async #store(key: string, stream: Readable, signal: AbortSignal): Promise<StoredObject> {
    const temporary = folderOf(key) + temporaryName(nameOf(key));
    try {
      const bytes = await this.#send(temporary, stream, signal);
      signal.throwIfAborted();
      await this.#repeated(() => this.#confirm(temporary, bytes), signal);
      signal.throwIfAborted();
      return await this.#inTurn.run(key, () => this.#publish(temporary, key, bytes));
    } catch (error) {
      await this.#rclone.remove(temporary, AbortSignal.timeout(discardMs)).catch(() => undefined);
      throw error;
    }
  }

  /** The number of bytes that went out. rclone's input ends only at the stream's own good end. */
  async #send(temporary: string, stream: Readable, signal: AbortSignal): Promise<number> {
    const program = this.#rclone.receive(temporary, signal);
    let bytes = 0;
    async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      try {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          yield chunk;
        }
      } catch (error) {
        throw new StreamBroke(error);
      }
    }
    try {
      await pipeline(stream, counted, program.stdin, { signal });
      await program.ended;
      return bytes;
    } catch (error) {
      await program.stop(error instanceof Error ? error : undefined);
      throw error;
    }
  }

  /** A move whose outcome rclone could not tell is judged by what is there afterwards. */
  async #publish(temporary: string, key: string, bytes: number): Promise<StoredObject> {
    if ((await this.#repeated(() => this.#rclone.stat(key))) !== undefined) throw objectExists(key);
    const failure = await this.#rclone.move(temporary, key).then(
      () => undefined,
      (error: unknown) => error,
    );
    const [left, there] = await this.#repeated(() =>
      Promise.all([this.#rclone.stat(temporary), this.#rclone.stat(key)]),
    );
    if (left === undefined && there?.size === bytes) return there;
    if (left !== undefined && there !== undefined && failure === undefined) throw objectExists(key);
    throw failure ?? notAsStored(key, bytes, there);
  }

  async #confirm(key: string, bytes: number): Promise<StoredObject> {
    const found = await this.#rclone.stat(key);
    if (found?.size === bytes) return found;
    throw notAsStored(key, bytes, found);
  }

  /** A `folder` that is a file would be listed as a file in itself. */
  async *#objects(folder: string, filters: readonly string[], signal?: AbortSignal): AsyncGenerator<StoredObject> {
    const action = `listing ${this.label}`;
    try {
      signal?.throwIfAborted();
      for await (const object of this.#rclone.list(folder, filters, signal)) {
        signal?.throwIfAborted();
        const mayBeItself = folder !== '' && object.key === `${folder}${nameOf(folder.slice(0, -1))}`;
        if (mayBeItself && (await this.#rclone.stat(folder.slice(0, -1), signal)) !== undefined) return;
        yield object;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw rcloneError(error, action);
    }
  }

  #repeated<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withBackoff(work, { retries: this.#retries, passing: isPassing, ...(signal && { signal }) });
  }

  async #attempt<T>(action: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await this.#repeated(work, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw rcloneError(error, action);
    }
  }
}

/** Keeps an error of the stream apart from one of rclone. */
class StreamBroke extends Error {
  constructor(cause: unknown) {
    super('the stream broke', { cause });
  }
}

function assertOurKey(key: string): void {
  assertKey(key);
  if (key.split('/').some(isTemporaryName)) {
    throw new DbBackupError('KEY_UNSAFE', `${JSON.stringify(key)} is a name that dbbackup keeps for unfinished files`);
  }
}

function objectExists(key: string): DbBackupError {
  return new DbBackupError('OBJECT_EXISTS', `${key} exists already and is never overwritten`, {
    hint: 'Another run published the same name; what it stored was not touched.',
  });
}

function notAsStored(key: string, bytes: number, found: StoredObject | undefined): DbBackupError {
  return new DbBackupError('DESTINATION_FAILED', `${key}: ${bytes} bytes sent, ${found?.size ?? 'none'} stored`);
}
