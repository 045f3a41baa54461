import { createHash } from 'node:crypto';
import { DbBackupError } from '../errors.ts';
import { damagedHint } from './chunk/opening-stream.ts';
import type { EncryptionRecord } from './encryption.ts';

/** Hex sha256 of an encryption header, as the sidecar records it. */
export function headerSha256(header: Buffer): string {
  return createHash('sha256').update(header).digest('hex');
}

/**
 * The header must be the one that was written: anyone who knows an age recipient can make a valid file.
 * Throws INTEGRITY.
 */
export function assertPinnedHeader(header: Buffer, pinned: EncryptionRecord | undefined): void {
  if (pinned === undefined || headerSha256(header) === pinned.headerSha256) return;
  throw new DbBackupError('INTEGRITY', 'the encryption header is not the one the sidecar recorded', {
    hint: damagedHint,
  });
}
