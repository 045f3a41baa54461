/** Any destination with faults in front of it, for tests of what uses destinations. */

import { PassThrough, pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from '../../src/destination/destination.ts';
import { DbBackupError } from '../../src/errors.ts';

export interface Faults {
  /** `put` fails (DESTINATION_FAILED, nothing published) once it was given more bytes than this. */
  failAfterBytes?: number;
  /** `put` stores what this makes of each chunk, and reports success (F18). */
  corrupt?: (chunk: Buffer) => Buffer;
  /** ms that `put` takes over each chunk. */
  delayPerChunk?: number;
  /** Calls of these methods fail. */
  failing?: ReadonlySet<'put' | 'replace' | 'get' | 'stat' | 'list' | 'delete'>;
  /** Those failures may pass by themselves. */
  passing?: boolean;
  /** Only these keys are hit; all when left out. */
  only?: (key: string) => boolean;
}

export class FaultyDestination implements Destination {
  /** May be changed while the test runs. */
  readonly faults: Faults;
  readonly #inner: Destination;

  constructor(inner: Destination, faults: Faults) {
    this.#inner = inner;
    this.faults = faults;
  }

  get capabilities() {
    return this.#inner.capabilities;
  }

  get label(): string {
    return this.#inner.label;
  }

  get folder(): string | undefined {
    return this.#inner.folder;
  }

  async put(key: string, stream: Readable, options: PutOptions): Promise<StoredObject> {
    try {
      this.#fail('put', key);
    } catch (error) {
      stream.destroy();
      throw error;
    }
    const stage = this.#hits(key) ? this.#stage() : new PassThrough();
    const faulty = pipeline(stream, stage, () => undefined);
    return this.#inner.put(key, faulty, options);
  }

  async replace(key: string, content: Uint8Array, options: PutOptions): Promise<StoredObject> {
    this.#fail('replace', key);
    return this.#inner.replace(key, content, options);
  }

  async get(key: string, options?: GetOptions): Promise<Readable> {
    this.#fail('get', key);
    return this.#inner.get(key, options);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    this.#fail('stat', key);
    return this.#inner.stat(key);
  }

  async *list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<StoredObject> {
    this.#fail('list', prefix);
    yield* this.#inner.list(prefix, options);
  }

  async delete(key: string): Promise<void> {
    this.#fail('delete', key);
    await this.#inner.delete(key);
  }

  leftovers(folder?: string): AsyncIterable<Leftover> {
    return this.#inner.leftovers(folder);
  }

  freeBytes(): Promise<number | undefined> {
    return this.#inner.freeBytes();
  }

  #hits(key: string): boolean {
    return this.faults.only?.(key) ?? true;
  }

  #fail(method: 'put' | 'replace' | 'get' | 'stat' | 'list' | 'delete', key: string): void {
    if (this.faults.failing?.has(method) && this.#hits(key)) throw fault(`${method} of ${key}`, this.faults.passing);
  }

  #stage(): Transform {
    const { failAfterBytes = Number.POSITIVE_INFINITY, delayPerChunk = 0, corrupt = (chunk) => chunk } = this.faults;
    let bytes = 0;
    const take = async (chunk: Buffer): Promise<Buffer> => {
      bytes += chunk.length;
      if (delayPerChunk > 0) await delay(delayPerChunk);
      if (bytes > failAfterBytes) throw fault(`put after ${failAfterBytes} bytes`);
      return corrupt(chunk);
    };
    return new Transform({
      transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
        take(chunk).then((taken) => done(null, taken), done);
      },
    });
  }
}

function fault(what: string, retryable = false): DbBackupError {
  return new DbBackupError('DESTINATION_FAILED', `planted fault: ${what}`, { retryable });
}
