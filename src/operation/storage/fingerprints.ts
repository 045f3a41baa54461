import type { EncryptionRecord } from '../../crypto/encryption.ts';

/** The ids of the keys of which any one opens the backup; `passphrase` for a passphrase, which has no id. */
export function fingerprintsOf({ passphrase, recipients, keyId }: EncryptionRecord): readonly string[] {
  if (passphrase) return ['passphrase'];
  return recipients ?? (keyId ? [keyId] : []);
}
