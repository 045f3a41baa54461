import { DbBackupError } from '../errors.ts';
import type { EncryptionRecord } from './encryption.ts';

export interface DecryptionStep {
  /** Debian packages that provide the programs. */
  readonly packages: readonly string[];
  /** One shell command that decrypts `stored` to `plain`, both shell-quoted paths; the key is named as a placeholder file beside them. */
  command(stored: string, plain: string): string;
}

/** What the sidecar's `recover` recipe needs to decrypt. */
export function decryptionStep(_record: EncryptionRecord): DecryptionStep {
  throw new DbBackupError('UNSUPPORTED', 'not there yet');
}
