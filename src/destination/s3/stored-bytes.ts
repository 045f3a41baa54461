/** Whether the store holds what was sent, as far as it tells. */
import { createHash } from 'node:crypto';
import { DbBackupError } from '../../errors.ts';
import type { StoredObject } from '../destination.ts';
import type { S3Options } from './options.ts';
import { bareEtag, type FoundObject } from './s3-store.ts';

export interface Sent {
  readonly bytes: number;
  /** The ETag that AWS would give: MD5 in hex, or that of a multipart object. */
  readonly etag: string;
}

const hint = 'The store lies or is broken: check it. If its ETags are no MD5 by design, set etag: opaque.';

/** The ETag that AWS gives to a multipart object: MD5 of the parts' MD5s, and their number. */
export function multipartEtag(digests: readonly Buffer[]): string {
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${digests.length}`;
}

/** Throws DESTINATION_FAILED when size or ETag differ, or nothing is there. */
export function assertSame(found: FoundObject | undefined, sent: Sent, options: S3Options): StoredObject {
  if (found === undefined || found.object.size !== sent.bytes) {
    throw lying(`the store holds ${found?.object.size ?? 'none'} of ${sent.bytes} bytes`);
  }
  assertEtag(found.head, sent.etag, options);
  return found.object;
}

/**
 * Throws DESTINATION_FAILED when the ETag is that of other bytes. One of another shape, or of an object encrypted by
 * KMS, says nothing (API reference, Object, ETag).
 */
export function assertEtag(
  answer: { readonly ETag?: string; readonly ServerSideEncryption?: string },
  expected: string,
  { etag: rule, sse }: S3Options,
): void {
  const etag = bareEtag(answer.ETag)?.toLowerCase();
  const byKms = sse === 'aws:kms' || answer.ServerSideEncryption?.startsWith('aws:kms') === true;
  if (etag === undefined || byKms || rule === 'opaque' || suffixOf(etag) !== suffixOf(expected)) return;
  if (etag !== expected) throw lying(`the store holds other bytes than were sent (ETag ${etag}, not ${expected})`);
}

/** `''` for an MD5, `-3` for that of three parts, undefined for anything else. */
function suffixOf(etag: string): string | undefined {
  return /^[0-9a-f]{32}(-\d+)?$/.test(etag) ? etag.slice(32) : undefined;
}

function lying(message: string): DbBackupError {
  return new DbBackupError('DESTINATION_FAILED', message, { hint });
}
