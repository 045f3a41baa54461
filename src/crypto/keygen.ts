import { DbBackupError } from '../errors.ts';

export type KeyKind = 'age' | 'aes-256-gcm' | 'signing';

export interface GeneratedKey {
  readonly kind: KeyKind;
  /** Where the secret was written, 0600. */
  readonly file: string;
  /** What may be shown and goes into the config: `age1…`, or the signing public key. Undefined for an AES key. */
  readonly publicPart: string | undefined;
  /** As in sidecars. */
  readonly fingerprint: string;
}

/** Makes a key and writes it to `file` (0600, never over an existing file: USAGE). */
export async function generateKey(kind: KeyKind, file: string): Promise<GeneratedKey> {
  throw new DbBackupError('UNSUPPORTED', `not there yet: ${kind} ${file}`);
}
