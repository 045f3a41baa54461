/**
 * The bytes of an object, from some byte on.
 * Guarantees: a dropped or silent connection is replaced by a new one that goes on where it broke; every request asks for
 * the ETag of the first one, so that an object exchanged in the meantime is an error and never a mixture (F42); the
 * stream ends only after the announced number of bytes.
 */
import { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { DbBackupError } from '../../errors.ts';
import { pause } from '../backoff.ts';
import { failureOf, isPassing, s3Error } from './s3-error.ts';
import type { S3Store } from './s3-store.ts';

export class Download extends Readable {
  readonly #store: S3Store;
  readonly #key: string;
  readonly #etag: string | undefined;
  readonly #end: number;
  readonly #closed = new AbortController();
  #body: Readable | undefined;
  #chunks: AsyncIterator<Buffer> | undefined;
  #position: number;
  #failures = 0;

  private constructor(store: S3Store, key: string, start: number, first: GetObjectCommandOutput) {
    super({ highWaterMark: 1024 * 1024 });
    this.#store = store;
    this.#key = key;
    this.#etag = first.ETag;
    this.#position = start;
    this.#end = start + (first.ContentLength ?? 0);
    this.#take(first);
  }

  /** Throws what the SDK throws. A start at or behind the end gives an empty stream. */
  static async open(store: S3Store, key: string, start: number, signal?: AbortSignal): Promise<Readable> {
    try {
      const range = start === 0 ? {} : { Range: `bytes=${start}-` };
      const where = { ...store.at(key), ...range };
      const first = await store.api.call((client, options) => client.getObject(where, options), { signal });
      return new Download(store, key, start, first);
    } catch (error) {
      if (failureOf(error).status === 416) return Readable.from([], { objectMode: false });
      throw error;
    }
  }

  override _read(): void {
    this.#next().then(
      (chunk) => this.push(chunk),
      (error) => this.destroy(s3Error(error, `reading ${this.#key} from ${this.#store.label}`)),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#closed.abort(error ?? undefined);
    this.#body?.destroy();
    done(error);
  }

  async #next(): Promise<Buffer | null> {
    while (this.#position < this.#end) {
      const chunk = await this.#tryChunk();
      if (chunk === undefined) continue;
      this.#failures = 0;
      this.#position += chunk.length;
      if (this.#position > this.#end) throw new DbBackupError('DESTINATION_FAILED', 'the store sent too many bytes');
      return chunk;
    }
    this.#body?.destroy();
    return null;
  }

  /** Undefined after a failure that may pass. */
  async #tryChunk(): Promise<Buffer | undefined> {
    try {
      if (this.#chunks === undefined) await this.#reopen();
      const next = await this.#chunks?.next();
      // An early end without an error is a dropped connection as well.
      if (next === undefined || next.done) throw Object.assign(new Error('connection closed'), { code: 'ECONNRESET' });
      return next.value;
    } catch (error) {
      this.#closed.signal.throwIfAborted();
      this.#chunks = undefined;
      this.#body?.destroy();
      if (!isPassing(error) || this.#failures >= this.#store.api.retries) throw error;
      await pause(this.#failures++, this.#closed.signal);
      return undefined;
    }
  }

  async #reopen(): Promise<void> {
    const where = { ...this.#store.at(this.#key), Range: `bytes=${this.#position}-`, IfMatch: this.#etag };
    try {
      const limits = { signal: this.#closed.signal };
      const answer = await this.#store.api.call((client, options) => client.getObject(where, options), limits);
      if (answer.ETag !== this.#etag) throw exchanged(this.#key);
      this.#take(answer);
    } catch (error) {
      const { status } = failureOf(error);
      throw status === 412 || status === 404 ? exchanged(this.#key) : error;
    }
  }

  #take(answer: GetObjectCommandOutput): void {
    this.#body = answer.Body as Readable;
    // Between two reads nobody listens, and an unheard error would end the process; the iterator reports it later.
    this.#body.on('error', () => undefined);
    this.#chunks = this.#body[Symbol.asyncIterator]();
  }
}

function exchanged(key: string): DbBackupError {
  return new DbBackupError('INTEGRITY', `${key} was exchanged or removed while it was being read`, {
    hint: 'Nothing of the mixture is used. Verify the backup, then read it again.',
  });
}
