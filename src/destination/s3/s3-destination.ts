/**
 * Backups in a bucket at AWS or any store that speaks S3.
 * Guarantees: an object appears whole or not at all; nothing is overwritten (how far a store can promise that:
 * upload.ts); what the store holds is compared with what was sent; parts are repeated one by one within a bounded memory;
 * a failed upload is aborted at the store before its error is told.
 * Refuses: unsafe keys; an expected size that cannot fit into the parts the store takes (planner.ts).
 */
import { createHash, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { Finding } from '../../finding.ts';
import type { Destination, GetOptions, Leftover, PutOptions, StoredObject } from '../destination.ts';
import { isKey } from '../key.ts';
import { checkBucket } from './check.ts';
import { Download } from './download.ts';
import { listUploads } from './list-uploads.ts';
import type { S3Options } from './options.ts';
import { PartReader } from './part-reader.ts';
import { type PlanWish, planParts } from './planner.ts';
import { failureOf, s3Error } from './s3-error.ts';
import { bareEtag, S3Store } from './s3-store.ts';
import { assertSame } from './stored-bytes.ts';
import { objectExists, Upload } from './upload.ts';

export class S3Destination implements Destination {
  readonly capabilities = { checksum: false };
  readonly label: string;
  readonly #store: S3Store;
  readonly #spoolFolder: string | undefined;

  constructor(options: S3Options, baseFolder: string) {
    this.#store = new S3Store(options);
    this.label = this.#store.label;
    this.#spoolFolder = options.spool === true ? tmpdir() : options.spool && resolve(baseFolder, options.spool);
  }

  async put(key: string, stream: Readable, { signal, estimatedBytes }: PutOptions): Promise<StoredObject> {
    // An error that comes while we prepare has no listener yet; the upload sees it later.
    stream.on('error', () => undefined);
    try {
      this.#store.at(key);
      signal.throwIfAborted();
      const wish = this.#wish(estimatedBytes);
      const plan = planParts(wish);
      // Early, so that hours of dumping do not end at a taken name.
      if ((await this.#store.find(key, { signal })) !== undefined) throw objectExists(key);
      return await new Upload(this.#store, key, new PartReader(plan, wish, this.#spoolFolder)).run(stream, signal);
    } catch (error) {
      const ofStream = error === stream.errored || failureOf(error).code === 'ERR_STREAM_PREMATURE_CLOSE';
      stream.destroy();
      throw signal.aborted || ofStream ? error : s3Error(error, `storing ${key} in ${this.label}`);
    }
  }

  async replace(key: string, content: Uint8Array, { signal }: PutOptions): Promise<StoredObject> {
    const store = this.#store;
    const md5 = createHash('md5').update(content).digest();
    const about = { ...store.at(key), ...store.headers(key, randomUUID()), ...store.contentMd5(md5) };
    return this.#attempt(`writing ${key} in ${this.label}`, signal, async () => {
      await store.api.call((client, options) => client.putObject({ ...about, Body: content }, options), { signal });
      const sent = { bytes: content.length, etag: md5.toString('hex') };
      return assertSame(await store.find(key, { signal }), sent, store.options);
    });
  }

  async get(key: string, { start = 0, signal }: GetOptions = {}): Promise<Readable> {
    this.#store.at(key);
    const stream = await this.#attempt(`reading ${key} from ${this.label}`, signal, async () => {
      try {
        return await Download.open(this.#store, key, start, signal);
      } catch (error) {
        if (failureOf(error).code !== 'NoSuchKey') throw error;
        throw new DbBackupError('OBJECT_MISSING', `there is no ${key} in ${this.label}`);
      }
    });
    return signal === undefined ? stream : addAbortSignal(signal, stream);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    this.#store.at(key);
    const found = await this.#attempt(`looking up ${key} in ${this.label}`, undefined, () => this.#store.find(key));
    return found?.object;
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncIterable<StoredObject> {
    const where = this.#store.under(prefix);
    let token: string | undefined;
    do {
      const input = { ...where, ContinuationToken: token };
      const page = await this.#attempt(`listing ${this.label}`, signal, () =>
        this.#store.api.call((client, options) => client.listObjectsV2(input, options), { signal }),
      );
      for (const { Key, Size = 0, LastModified, ETag } of page.Contents ?? []) {
        const key = this.#store.keyOf(Key);
        if (key === undefined || !isKey(key)) continue;
        signal?.throwIfAborted();
        yield { key, size: Size, modifiedAt: LastModified ?? new Date(0), etag: bareEtag(ETag) };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    this.#store.at(key);
    await this.#attempt(`deleting ${key} from ${this.label}`, undefined, () => this.#store.remove(key));
  }

  async *leftovers(folder = ''): AsyncIterable<Leftover> {
    const action = `looking for unfinished uploads in ${this.label}`;
    const uploads = listUploads(this.#store, folder)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#attempt(action, undefined, () => uploads.next());
      if (next.done) return;
      const { key, startedAt, upload } = next.value;
      const removing = `removing the unfinished upload of ${key} from ${this.label}`;
      yield {
        key,
        startedAt,
        belongsTo: (other) => other === key,
        remove: () => this.#attempt(removing, undefined, () => upload.abort({})),
      };
    }
  }

  /** A bucket has no end that the store would tell. */
  async freeBytes(): Promise<undefined> {
    return undefined;
  }

  check(folder: string, signal: AbortSignal): AsyncIterable<Finding> {
    return checkBucket(this.#store, folder, signal);
  }

  #wish(estimatedBytes: number | undefined): PlanWish {
    const { multipart = {}, spool } = this.#store.options;
    const { partSize, maxParts, uniformParts, memory } = multipart;
    return {
      estimatedBytes,
      ...{ partBytes: partSize, maxParts, uniform: uniformParts, memoryBytes: memory, spool: spool !== undefined },
    };
  }

  async #attempt<T>(action: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(error, action);
    }
  }
}
