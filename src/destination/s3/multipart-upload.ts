/**
 * One multipart upload at the store.
 * Guarantees: every part is repeated alone until the store has acknowledged its MD5; `complete` publishes only where
 * nothing was before (If-None-Match), and takes an answer without an ETag for a failure, whatever its status (F16);
 * `abort` returns only after the store has confirmed that the upload is gone.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { CompletedPart, CompleteMultipartUploadCommandOutput } from '@aws-sdk/client-s3';
import { DbBackupError } from '../../errors.ts';
import type { CutPart } from './part-reader.ts';
import type { CallLimits } from './s3-api.ts';
import { failureOf } from './s3-error.ts';
import type { S3Store } from './s3-store.ts';
import { assertEtag } from './stored-bytes.ts';

/** What has to be known of a part to send it. */
type SendablePart = Pick<CutPart, 'number' | 'md5'> & { readonly part: Pick<CutPart['part'], 'body' | 'length'> };

const abortAttempts = 6;

export class MultipartUpload {
  readonly #store: S3Store;
  readonly #key: string;
  readonly #id: string;
  readonly #parts: CompletedPart[] = [];

  /** `id`: the store's own. */
  constructor(store: S3Store, key: string, id: string) {
    this.#store = store;
    this.#key = key;
    this.#id = id;
  }

  /** `uploadId`: our own name for it, kept in the object's metadata. */
  static async begin(store: S3Store, key: string, uploadId: string, signal: AbortSignal): Promise<MultipartUpload> {
    const input = { ...store.at(key), ...store.headers(key, uploadId) };
    const algorithm = store.api.checksum === 'crc32' ? { ChecksumAlgorithm: 'CRC32' as const } : {};
    let asked = 0;
    const answer = await store.api.call(
      (client, options) => {
        asked += 1;
        return client.createMultipartUpload({ ...input, ...algorithm }, options);
      },
      { signal },
    );
    if (answer.UploadId === undefined) throw new DbBackupError('DESTINATION_FAILED', 'the store began no upload');
    const upload = new MultipartUpload(store, key, answer.UploadId);
    if (asked > 1) await upload.#abortTwins({ signal });
    return upload;
  }

  async put({ part, number, md5 }: SendablePart, signal: AbortSignal): Promise<void> {
    const answer = await this.#store.api.call(
      (client, options) =>
        client.uploadPart(
          {
            ...this.#where,
            PartNumber: number,
            Body: part.body(),
            ContentLength: part.length,
            ...this.#store.contentMd5(md5),
          },
          options,
        ),
      { signal },
    );
    assertEtag(answer, md5.toString('hex'), this.#store.options);
    this.#parts.push({ PartNumber: number, ETag: answer.ETag, ChecksumCRC32: answer.ChecksumCRC32 });
  }

  async complete(signal: AbortSignal): Promise<CompleteMultipartUploadCommandOutput> {
    const Parts = this.#parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const conditions = this.#store.takesConditions;
    try {
      return await this.#store.api.call(
        async (client, options) => {
          const condition = conditions.complete ? { IfNoneMatch: '*' } : {};
          const input = { ...this.#where, MultipartUpload: { Parts }, ...condition };
          const answer = await client.completeMultipartUpload(input, options);
          if (answer.ETag === undefined) throw incomplete();
          return answer;
        },
        { signal },
      );
    } catch (error) {
      if (!conditions.complete || failureOf(error).code !== 'NotImplemented') throw error;
      conditions.complete = false;
      return this.complete(signal);
    }
  }

  /** Throws when the store would not confirm it. */
  async abort(limits: CallLimits): Promise<void> {
    for (let attempt = 1; attempt <= abortAttempts; attempt += 1) {
      await this.#store.api
        .call((client, options) => client.abortMultipartUpload(this.#where, options), limits)
        .catch(unlessGone);
      if (await this.#isGone(limits)) return;
      // A part that was on its way may have arrived after the abort (API reference, AbortMultipartUpload).
      await delay(100 * 2 ** attempt);
    }
    throw new DbBackupError('DESTINATION_FAILED', `the store keeps the aborted upload of ${this.#key}`);
  }

  get #where() {
    return { ...this.#store.at(this.#key), UploadId: this.#id };
  }

  async #isGone(limits: CallLimits): Promise<boolean> {
    try {
      await this.#store.api.call(
        (client, options) => client.listParts({ ...this.#where, MaxParts: 1 }, options),
        limits,
      );
      return false;
    } catch (error) {
      const { code, status } = failureOf(error);
      // Who may not look, or where there is no looking: the abort's own success must do.
      if (status === 404 || code === 'AccessDenied' || code === 'NotImplemented') return true;
      throw error;
    }
  }

  /**
   * The answer to an earlier request to begin may have been lost, and with it the id of an upload under this name. Names
   * of backups are made for one run, so every other upload under it is that one.
   */
  async #abortTwins(limits: CallLimits): Promise<void> {
    const { Bucket, Key } = this.#store.at(this.#key);
    const found = await this.#store.api.call(
      (client, options) => client.listMultipartUploads({ Bucket, Prefix: Key }, options),
      limits,
    );
    for (const { Key: name, UploadId } of found.Uploads ?? []) {
      if (name !== Key || UploadId === undefined || UploadId === this.#id) continue;
      await new MultipartUpload(this.#store, this.#key, UploadId).abort(limits);
    }
  }
}

function unlessGone(error: unknown): void {
  if (failureOf(error).status !== 404) throw error;
}

/** An error body under status 200, which the SDK does not always see. */
function incomplete(): DbBackupError {
  return new DbBackupError('DESTINATION_FAILED', 'the store answered the completion without an ETag', {
    retryable: true,
  });
}
