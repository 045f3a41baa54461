/** Open multipart uploads that are surely ours. */
import { isKey } from '../key.ts';
import { MultipartUpload } from './multipart-upload.ts';
import type { S3Store } from './s3-store.ts';

export interface OpenUpload {
  readonly key: string;
  readonly startedAt: Date;
  readonly upload: MultipartUpload;
}

/**
 * An open upload carries no mark that a listing shows, and other programs may use the same bucket and prefix. So only
 * names of the form that backups have are ours: `…_<UTC timestamp>_<six hex digits>.…`.
 */
const nameOfBackup = /_\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z_[0-9a-f]{6}\.[^/]+$/;

/** Lazily, page by page. Throws what the SDK throws. */
export async function* listUploads(store: S3Store, folder: string): AsyncGenerator<OpenUpload> {
  const where = store.under(folder);
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (let more = true; more; ) {
    const input = { ...where, ...marker };
    const page = await store.api.call((client, options) => client.listMultipartUploads(input, options));
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const key = store.keyOf(Key);
      if (key === undefined || UploadId === undefined || !isKey(key) || !nameOfBackup.test(key)) continue;
      yield { key, startedAt: Initiated ?? new Date(), upload: new MultipartUpload(store, key, UploadId) };
    }
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    more = page.IsTruncated === true && page.NextKeyMarker !== undefined;
  }
}
