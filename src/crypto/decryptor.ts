import { DbBackupError } from '../errors.ts';
import { decryptAes } from './aes-256-gcm/reader.ts';
import { decryptAge } from './age/reader.ts';
import { damagedHint } from './chunk/opening-stream.ts';
import type { Decryptor } from './encryption.ts';
import { askingOnce, type KeyRing } from './key-ring.ts';

/** Reads with everything in the ring; prompts are asked once at most, and only when a file needs a passphrase. */
export function openDecryptor(keys: KeyRing): Decryptor {
  const ring = askingOnce(keys);
  return {
    async decrypt(type, pinned) {
      if (pinned !== undefined && pinned.type !== type) {
        throw new DbBackupError('INTEGRITY', `the file's name says ${type}, but its sidecar recorded ${pinned.type}`, {
          hint: damagedHint,
        });
      }
      return type === 'age' ? decryptAge(ring, pinned) : decryptAes(ring, pinned);
    },
  };
}
