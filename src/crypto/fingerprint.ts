import { createHash } from 'node:crypto';

/** Tells recipients apart in sidecars and messages without naming them: 16 hex digits. */
export function recipientFingerprint(recipient: string): string {
  return createHash('sha256').update(`dbbackup-recipient-v1${recipient}`).digest('hex').slice(0, 16);
}
