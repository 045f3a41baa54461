import { open } from 'node:fs/promises';
import { DbBackupError, messageOf } from '../errors.ts';
import type { KeyRing } from './key-ring.ts';
import { parseKeyText } from './key-text.ts';

/** Bytes; a key file of thousands of keys. */
const sizeLimit = 256 * 1024;

/**
 * Reads a key file (`--identity`, `identityFile`): age identities with comments, AES keys, one a line.
 * Throws SECRET_UNAVAILABLE (cannot be read), KEY_UNSAFE (others can read it), LIMIT_EXCEEDED, CONFIG_INVALID (no key).
 */
export async function readKeyFile(path: string): Promise<KeyRing> {
  return parseKeyText(await readSecretFile(path), `key file ${path}`);
}

/** The text of a file that only its owner can read. Also reads pipes, as `<(pass show backup)` gives. */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new DbBackupError('SECRET_UNAVAILABLE', `key file ${path} cannot be read: ${messageOf(cause)}`, {
      hint: 'Check the path and who owns the file.',
      cause,
    });
  });
  try {
    const stat = await file.stat();
    const { mode } = stat;
    if (stat.isDirectory()) throw new DbBackupError('SECRET_UNAVAILABLE', `key file ${path} is a folder`);
    if ((mode & 0o077) !== 0) throw unsafe(path, mode);
    const content = Buffer.alloc(sizeLimit + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      ({ bytesRead: read } = await file.read(content, length));
    }
    if (length > sizeLimit)
      throw new DbBackupError('LIMIT_EXCEEDED', `key file ${path} is larger than ${sizeLimit} bytes`);
    return content.toString('utf8', 0, length);
  } finally {
    await file.close();
  }
}

function unsafe(path: string, mode: number): DbBackupError {
  const rights = (mode & 0o777).toString(8).padStart(4, '0');
  return new DbBackupError('KEY_UNSAFE', `key file ${path} can be read by others (mode ${rights})`, {
    hint: `chmod 600 '${path}', and replace the key if someone may have read it.`,
  });
}
