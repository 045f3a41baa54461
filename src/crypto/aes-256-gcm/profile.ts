import { resolve } from 'node:path';
import { z } from 'zod';
import { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import { readKeyFile } from '../key-file.ts';
import { parseAesKey } from '../key-text.ts';
import type { EncryptionAdapter } from '../profile.ts';
import { type AesSecret, encryptAes } from './writer.ts';

const text = z.string().min(1);

const options = z
  .strictObject({
    key: text.optional().describe('64 hex digits or base64 of 32 bytes; write a reference to a file or variable'),
    keyFile: text.optional().describe('file made by dbbackup keygen; only its owner may read it'),
    passphrase: text.optional().describe('instead of a key; write a reference to a file or variable'),
    previousKeys: z.array(text).optional().describe('older keys that still restore older backups'),
    previousPassphrases: z.array(text).optional().describe('older passphrases that still restore older backups'),
  })
  .refine(({ key, keyFile, passphrase }) => [key, keyFile, passphrase].filter(Boolean).length === 1, {
    message: 'needs exactly one of key, keyFile and passphrase',
  });

export const aesAdapter: EncryptionAdapter = {
  type: 'aes-256-gcm',
  options,
  async open(input, baseFolder) {
    const parsed = options.parse(input);
    const current = await currentKeys(parsed, baseFolder);
    const previous = (parsed.previousKeys ?? []).map((key, at) => parseAesKey(key, `encryption previousKeys.${at}`));
    const passphrases = [parsed.passphrase, ...(parsed.previousPassphrases ?? [])].filter((one) => one !== undefined);
    for (const passphrase of passphrases) registerSecret(passphrase);
    const secret = writingSecret(parsed.passphrase, current[0]);
    return {
      encryptor: async (name) => ({ type: 'aes-256-gcm', extension: '.enc', encrypt: () => encryptAes(secret, name) }),
      keys: { identities: [], keys: [...current, ...previous], passphrases },
    };
  },
};

/** The first one encrypts. */
async function currentKeys(parsed: z.infer<typeof options>, baseFolder: string): Promise<readonly Buffer[]> {
  if (parsed.key !== undefined) return [parseAesKey(parsed.key, 'encryption key')];
  if (parsed.keyFile === undefined) return [];
  return (await readKeyFile(resolve(baseFolder, parsed.keyFile))).keys;
}

function writingSecret(passphrase: string | undefined, key: Buffer | undefined): AesSecret {
  if (passphrase !== undefined) return { passphrase };
  if (key !== undefined) return { key };
  throw new DbBackupError('CONFIG_INVALID', 'the encryption key file holds no AES-256 key', {
    hint: 'Make one with: dbbackup keygen',
  });
}
