/** What the requests of one destination have in common: bucket, names, headers, and what the store turned out to know. */
import type { HeadObjectCommandOutput, PutObjectCommandInput } from '@aws-sdk/client-s3';
import { DbBackupError } from '../../errors.ts';
import type { StoredObject } from '../destination.ts';
import { assertKey } from '../key.ts';
import type { S3Options } from './options.ts';
import { type CallLimits, S3Api } from './s3-api.ts';
import { failureOf } from './s3-error.ts';

/** Metadata under which an object names the upload that made it (`x-amz-meta-…`). */
const uploadMark = 'dbbackup-upload';
const dayMs = 86_400_000;

export type ObjectHeaders = Pick<
  PutObjectCommandInput,
  | 'Metadata'
  | 'ServerSideEncryption'
  | 'SSEKMSKeyId'
  | 'StorageClass'
  | 'Tagging'
  | 'ObjectLockMode'
  | 'ObjectLockRetainUntilDate'
>;

export interface FoundObject {
  readonly object: StoredObject;
  /** Our name of the upload that made it; undefined where the store keeps no metadata, or it is not ours. */
  readonly uploadId: string | undefined;
  readonly head: Pick<HeadObjectCommandOutput, 'ETag' | 'ServerSideEncryption'>;
}

export class S3Store {
  readonly api: S3Api;
  readonly options: S3Options;
  readonly label: string;
  /** Set to false when the store answers 501 to a condition; it is asked once. */
  readonly takesConditions = { put: true, complete: true };
  readonly #base: string;

  constructor(options: S3Options) {
    const prefix = options.prefix?.replace(/^\/|\/$/g, '');
    this.options = options;
    this.api = new S3Api(options);
    this.#base = prefix === undefined ? '' : `${prefix}/`;
    this.label = `s3://${options.bucket}${prefix === undefined ? '' : `/${prefix}`}`;
  }

  /** The store's names for a key. Throws KEY_UNSAFE. */
  at(key: string): { Bucket: string; Key: string } {
    assertKey(key);
    return { Bucket: this.options.bucket, Key: this.#base + key };
  }

  /** The store's names for everything whose key starts so. Throws KEY_UNSAFE. */
  under(prefix: string): { Bucket: string; Prefix: string } {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    return { Bucket: this.options.bucket, Prefix: this.#base + prefix };
  }

  /** The key of the store's name; undefined for what is not under our prefix. */
  keyOf(name: string | undefined): string | undefined {
    return name?.startsWith(this.#base) ? name.slice(this.#base.length) : undefined;
  }

  /** Headers of a new object. Sidecars are `.json`, which no data is: they must be readable at once. */
  headers(key: string, uploadId: string): ObjectHeaders {
    const { sse, kmsKeyId, storageClass, tags, objectLock } = this.options;
    const isData = !key.endsWith('.json');
    return {
      Metadata: { [uploadMark]: uploadId },
      ...(sse === undefined ? {} : { ServerSideEncryption: sse }),
      ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
      ...(storageClass === undefined || !isData ? {} : { StorageClass: storageClass as 'STANDARD' }),
      ...(tags === undefined ? {} : { Tagging: new URLSearchParams(tags).toString() }),
      ...(objectLock === undefined || key.endsWith('.state.json')
        ? {}
        : {
            ObjectLockMode: objectLock.mode,
            ObjectLockRetainUntilDate: new Date(Date.now() + objectLock.days * dayMs),
          }),
    };
  }

  /** Content-MD5 where that is how the store checks what arrives; otherwise the SDK adds its CRC32. */
  contentMd5(md5: Buffer): { ContentMD5?: string } {
    return this.api.checksum === 'md5' ? { ContentMD5: md5.toString('base64') } : {};
  }

  async find(key: string, limits: CallLimits = {}): Promise<FoundObject | undefined> {
    try {
      return await this.api.call(async (client, options) => {
        const head = await client.headObject(this.at(key), options);
        // Something between us and the store has answered in its place.
        if (head.ETag === undefined || head.LastModified === undefined) throw noHead(key);
        const { ContentLength: size = 0, LastModified: modifiedAt } = head;
        return {
          object: { key, size, modifiedAt, etag: bareEtag(head.ETag) },
          uploadId: head.Metadata?.[uploadMark],
          head,
        };
      }, limits);
    } catch (error) {
      if (failureOf(error).status === 404) return undefined;
      throw error;
    }
  }

  async remove(key: string, limits: CallLimits = {}): Promise<void> {
    await this.api.call((client, options) => client.deleteObject(this.at(key), options), limits);
  }
}

export function bareEtag(etag: string | undefined): string | undefined {
  return etag?.replace(/^(W\/)?"|"$/g, '');
}

function noHead(key: string): DbBackupError {
  return new DbBackupError('DESTINATION_FAILED', `the answer about ${key} names neither ETag nor date`, {
    retryable: true,
    hint: 'This is no S3 store, or a proxy answers in its place: check `endpoint`.',
  });
}
