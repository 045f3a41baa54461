/**
 * From a stream to an object: one PutObject when it fits into one part, a multipart upload otherwise.
 * Guarantees: nothing is overwritten as far as the store can promise it (see `#createWhole`); what the store says it
 * holds is compared with what was sent, in size and, where its ETags are MD5, in every byte; a lost answer is told from
 * a failure by the upload's own name in the metadata (F17); whatever fails, an upload begun is aborted and the abort
 * awaited, and what may have been published under the name is taken back.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { addAbortSignal, type Readable } from 'node:stream';
import { DbBackupError, wrapError } from '../../errors.ts';
import { pause } from '../backoff.ts';
import type { StoredObject } from '../destination.ts';
import { MultipartUpload } from './multipart-upload.ts';
import type { CutPart, PartReader } from './part-reader.ts';
import { failureOf } from './s3-error.ts';
import type { S3Store } from './s3-store.ts';
import { assertSame, multipartEtag, type Sent } from './stored-bytes.ts';

const usualConcurrency = 4;
/** A dead store must not hold up the end of a run for long; `cleanup` finds what is left. */
const undoMs = 30_000;
const takeBackAttempts = 6;

export class Upload {
  /** Our own name for this upload; the object carries it. */
  readonly #id = randomUUID();
  readonly #store: S3Store;
  readonly #key: string;
  readonly #parts: PartReader;
  #multipart: MultipartUpload | undefined;
  /** `asked`: the object may appear; `done`: the store said that it is there. */
  #publishing: 'no' | 'asked' | 'done' = 'no';

  constructor(store: S3Store, key: string, parts: PartReader) {
    this.#store = store;
    this.#key = key;
    this.#parts = parts;
  }

  /** Once. The stream's own error, or the signal's reason, is thrown as it is. */
  async run(stream: Readable, signal: AbortSignal): Promise<StoredObject> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    // One for each part in flight, of which there may be 64.
    setMaxListeners(0, either);
    addAbortSignal(either, stream);
    const cut = this.#parts.cut(stream);
    try {
      const first = (await cut.next()).value as CutPart;
      const sent = first.last
        ? await this.#createWhole(first, either)
        : await this.#createInParts(first, cut, stop, either);
      return await this.#confirm(sent, either);
    } catch (error) {
      const reason = signal.aborted ? signal.reason : error;
      await this.#undo(reason);
      throw reason;
    } finally {
      await cut.return(undefined);
    }
  }

  /**
   * Small objects. If-None-Match on PutObject where the store takes it (AWS and most); otherwise as a multipart upload of
   * one part, because Swift knows the condition only there; where it is unknown altogether, and for the empty object,
   * which has no part, there is the look before the upload and the look after it: two writers of one name within the same
   * second could then overwrite each other.
   */
  async #createWhole(cut: CutPart, signal: AbortSignal): Promise<Sent> {
    const conditions = this.#store.takesConditions;
    try {
      if (conditions.put && (await this.#putWhole(cut, { IfNoneMatch: '*' }, signal))) return sentWhole(cut);
      if (conditions.complete && cut.part.length > 0) return await this.#putAsOnePart(cut, signal);
      await this.#putWhole(cut, {}, signal);
      return sentWhole(cut);
    } finally {
      await this.#parts.release(cut.part);
    }
  }

  /** False when the store does not know the condition. */
  async #putWhole({ part, md5 }: CutPart, condition: { IfNoneMatch?: string }, signal: AbortSignal): Promise<boolean> {
    const store = this.#store;
    const about = { ...store.at(this.#key), ...store.headers(this.#key, this.#id), ...store.contentMd5(md5) };
    try {
      await this.#publish(signal, () =>
        store.api.call(
          (client, options) =>
            client.putObject({ ...about, ...condition, Body: part.body(), ContentLength: part.length }, options),
          { signal },
        ),
      );
      return true;
    } catch (error) {
      if (condition.IfNoneMatch === undefined || failureOf(error).code !== 'NotImplemented') throw error;
      store.takesConditions.put = false;
      this.#publishing = 'no';
      return false;
    }
  }

  async #putAsOnePart(cut: CutPart, signal: AbortSignal): Promise<Sent> {
    const multipart = await this.#begin(signal);
    await multipart.put(cut, signal);
    await this.#publish(signal, () => multipart.complete(signal));
    return { bytes: cut.part.length, etag: multipartEtag([cut.md5]) };
  }

  async #createInParts(
    first: CutPart,
    rest: AsyncGenerator<CutPart>,
    stop: AbortController,
    signal: AbortSignal,
  ): Promise<Sent> {
    const multipart = await this.#begin(signal).catch(async (error) => {
      await this.#parts.release(first.part);
      throw error;
    });
    const sent = await this.#sendAll(multipart, first, rest, stop, signal);
    await this.#publish(signal, () => multipart.complete(signal));
    return sent;
  }

  async #begin(signal: AbortSignal): Promise<MultipartUpload> {
    this.#multipart = await MultipartUpload.begin(this.#store, this.#key, this.#id, signal);
    return this.#multipart;
  }

  /** A part that fails for good stops the reading of the stream, and with it all others. */
  async #sendAll(
    multipart: MultipartUpload,
    first: CutPart,
    rest: AsyncGenerator<CutPart>,
    stop: AbortController,
    signal: AbortSignal,
  ): Promise<Sent> {
    const digests: Buffer[] = [];
    const inFlight = new Set<Promise<void>>();
    const atOnce = this.#store.options.multipart?.concurrency ?? usualConcurrency;
    let bytes = 0;
    const send = async (cut: CutPart) => {
      bytes += cut.part.length;
      digests.push(cut.md5);
      const sending = multipart
        .put(cut, signal)
        .catch((error) => stop.abort(error))
        .then(() => this.#parts.release(cut.part))
        .finally(() => inFlight.delete(sending));
      inFlight.add(sending);
      if (inFlight.size >= atOnce) await Promise.race(inFlight);
    };
    try {
      await send(first);
      for await (const cut of rest) await send(cut);
    } catch (error) {
      stop.abort(error);
    }
    await Promise.all(inFlight);
    signal.throwIfAborted();
    return { bytes, etag: multipartEtag(digests) };
  }

  /** The request that makes the object appear. No answer, or one that speaks of another writer, may hide a success. */
  async #publish(signal: AbortSignal, request: () => Promise<unknown>): Promise<void> {
    this.#publishing = 'asked';
    try {
      await request();
      this.#publishing = 'done';
    } catch (error) {
      signal.throwIfAborted();
      const found = await this.#store.find(this.#key, { signal }).catch(() => undefined);
      if (found?.uploadId === this.#id) return;
      const { status } = failureOf(error);
      throw found !== undefined && (status === 412 || status === 409) ? objectExists(this.#key) : error;
    }
  }

  async #confirm(sent: Sent, signal: AbortSignal): Promise<StoredObject> {
    const found = await this.#store.find(this.#key, { signal });
    // A store that keeps no metadata names no upload; its object is judged by size and ETag alone.
    if (found?.uploadId !== undefined && found.uploadId !== this.#id) throw objectExists(this.#key);
    return assertSame(found, sent, this.#store.options);
  }

  /** Throws only when something of ours is left at the store. */
  async #undo(error: unknown): Promise<void> {
    const limit = { signal: AbortSignal.timeout(undoMs) };
    try {
      if (this.#publishing !== 'no') await this.#takeBack(limit);
      await this.#multipart?.abort(limit);
    } catch {
      throw wrapError(
        error,
        'DESTINATION_FAILED',
        `${this.#key} failed, and what was sent of it could not be removed`,
        leftHint,
      );
    }
  }

  /** Reported as failed, it must not be found either; but only what this upload made is removed. */
  async #takeBack(limit: { signal: AbortSignal }): Promise<void> {
    for (let attempt = 0; attempt < takeBackAttempts; attempt += 1) {
      const found = await this.#store.find(this.#key, limit);
      const ours = found?.uploadId === this.#id || (found?.uploadId === undefined && this.#publishing === 'done');
      if (found === undefined || !ours) return;
      if (attempt > 0) await pause(attempt, limit.signal);
      await this.#store.remove(this.#key, limit);
    }
    throw new DbBackupError('DESTINATION_FAILED', `the store keeps ${this.#key} although it was deleted`);
  }
}

const leftHint = '`dbbackup cleanup` removes what is left of it.';

function sentWhole({ part, md5 }: CutPart): Sent {
  return { bytes: part.length, etag: md5.toString('hex') };
}

/** For a name that is taken, or was taken by another writer in the meantime. */
export function objectExists(key: string): DbBackupError {
  return new DbBackupError('OBJECT_EXISTS', `${key} exists already and is never overwritten`, {
    hint: 'Another run published, or is publishing, the same name; what it stored was not touched.',
  });
}
