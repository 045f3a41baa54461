/**
 * Any destination, with a limit on the bytes per second that go there and come from there.
 * Guarantees: everything that the contract asks of the destination inside; a stream that fails, ends or is given up on one
 * side of the limit does so on the other, with the same error.
 */
import { pipeline, type Readable } from 'node:stream';
import type { Finding } from '../finding.ts';
import type { Bandwidth } from './bandwidth.ts';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from './destination.ts';

export interface BandwidthLimits {
  readonly upload?: Bandwidth;
  readonly download?: Bandwidth;
}

export class LimitedDestination implements Destination {
  readonly #inner: Destination;
  readonly #limits: BandwidthLimits;

  /** The limits may be shared with other destinations of the same line. */
  constructor(inner: Destination, limits: BandwidthLimits) {
    this.#inner = inner;
    this.#limits = limits;
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
      return await this.#inner.put(key, limited(stream, this.#limits.upload), options);
    } catch (error) {
      // The pipeline would do so as well, only later.
      stream.destroy();
      throw error;
    }
  }

  /** Small, hence never held up; but it counts. */
  replace(key: string, content: Uint8Array, options: PutOptions): Promise<StoredObject> {
    this.#limits.upload?.take(content.length);
    return this.#inner.replace(key, content, options);
  }

  async get(key: string, options?: GetOptions): Promise<Readable> {
    return limited(await this.#inner.get(key, options), this.#limits.download);
  }

  stat(key: string): Promise<StoredObject | undefined> {
    return this.#inner.stat(key);
  }

  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix, options);
  }

  delete(key: string): Promise<void> {
    return this.#inner.delete(key);
  }

  leftovers(folder?: string): AsyncIterable<Leftover> {
    return this.#inner.leftovers(folder);
  }

  freeBytes(): Promise<number | undefined> {
    return this.#inner.freeBytes();
  }

  async *check(folder: string, signal: AbortSignal): AsyncIterable<Finding> {
    yield* this.#inner.check?.(folder, signal) ?? [];
  }
}

function limited(stream: Readable, bandwidth: Bandwidth | undefined): Readable {
  // The failure of either end is told by the stream that is returned.
  return bandwidth === undefined ? stream : pipeline(stream, bandwidth.throttle(), () => undefined);
}
