import { DbBackupError } from '../errors.ts';
import type { KeyRing } from './key-ring.ts';

/** Reads a key file given by `--identity`: age identities with comments, or AES keys. Throws KEY_UNSAFE, SECRET_UNAVAILABLE. */
export async function readKeyFile(path: string): Promise<KeyRing> {
  throw new DbBackupError('UNSUPPORTED', `not there yet: ${path}`);
}
