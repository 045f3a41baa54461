/**
 * A destination that lives in memory, for tests of what uses destinations. Keeps every promise of the contract and
 * computes a checksum of what it holds. Refuses nothing for size: never put a dump into it.
 */
import { createHash } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from '../destination.ts';
import { assertKey } from '../key.ts';

interface Entry {
  readonly bytes: Buffer;
  readonly object: StoredObject;
}

interface Upload {
  readonly key: string;
  readonly startedAt: Date;
  bytes: number;
}

export class MemoryDestination implements Destination {
  readonly capabilities = { checksum: true };
  readonly label = 'memory';
  readonly #entries = new Map<string, Entry>();
  readonly #uploads = new Set<Upload>();

  async put(key: string, stream: Readable, { signal }: PutOptions): Promise<StoredObject> {
    const upload: Upload = { key, startedAt: new Date(), bytes: 0 };
    stream.on('error', () => undefined);
    try {
      assertKey(key);
      signal.throwIfAborted();
      this.#assertFree(key);
      this.#uploads.add(upload);
      return this.#publish(upload, await collect(stream, signal, upload));
    } catch (error) {
      stream.destroy();
      throw error;
    } finally {
      this.#uploads.delete(upload);
    }
  }

  async replace(key: string, content: Uint8Array, { signal }: PutOptions): Promise<StoredObject> {
    assertKey(key);
    signal.throwIfAborted();
    return this.#set(key, Buffer.from(content));
  }

  async get(key: string, options: GetOptions = {}): Promise<Readable> {
    assertKey(key);
    options.signal?.throwIfAborted();
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new DbBackupError('OBJECT_MISSING', `there is no ${key} in ${this.label}`);
    const stream = Readable.from(pieces(entry.bytes.subarray(options.start ?? 0)), { objectMode: false });
    return options.signal === undefined ? stream : addAbortSignal(options.signal, stream);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    return this.#entries.get(key)?.object;
  }

  async *list(prefix: string, options: { signal?: AbortSignal } = {}): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    for (const [key, { object }] of this.#entries) {
      options.signal?.throwIfAborted();
      if (key.startsWith(prefix)) yield object;
    }
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    this.#entries.delete(key);
  }

  async *leftovers(folder = ''): AsyncIterable<Leftover> {
    for (const upload of this.#uploads) {
      if (!upload.key.startsWith(folder)) continue;
      yield {
        ...upload,
        belongsTo: (key) => key === upload.key,
        remove: async () => void this.#uploads.delete(upload),
      };
    }
  }

  async freeBytes(): Promise<number | undefined> {
    return undefined;
  }

  #publish(upload: Upload, bytes: Buffer): StoredObject {
    if (!this.#uploads.has(upload)) {
      throw new DbBackupError('DESTINATION_FAILED', `the upload of ${upload.key} was removed by someone else`);
    }
    this.#assertFree(upload.key);
    return this.#set(upload.key, bytes);
  }

  #assertFree(key: string): void {
    if (this.#entries.has(key)) throw new DbBackupError('OBJECT_EXISTS', `${key} exists already in ${this.label}`);
  }

  #set(key: string, bytes: Buffer): StoredObject {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const object = { key, size: bytes.length, modifiedAt: new Date(), etag: sha256, sha256 };
    this.#entries.set(key, { bytes, object });
    return object;
  }
}

async function collect(stream: Readable, signal: AbortSignal, upload: Upload): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      chunks.push(Buffer.from(chunk));
      upload.bytes += chunk.length;
    }
  } finally {
    signal.throwIfAborted();
  }
  return Buffer.concat(chunks);
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}
