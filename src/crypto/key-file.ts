import { readSecretFile } from '../secret-file.ts';
import type { KeyRing } from './key-ring.ts';
import { parseKeyText } from './key-text.ts';

/**
 * Reads a key file (`--identity`, `identityFile`, `keyFile`): age identities with comments, AES keys, one a line.
 * Throws SECRET_UNAVAILABLE (cannot be read), KEY_FILE_UNSAFE (others can), CONFIG_INVALID (no key).
 */
export async function readKeyFile(path: string): Promise<KeyRing> {
  return parseKeyText(await readSecretFile(path), `key file ${path}`);
}
