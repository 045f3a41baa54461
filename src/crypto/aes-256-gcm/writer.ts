import { randomBytes } from 'node:crypto';
import { SealingStream } from '../chunk/sealing-stream.ts';
import { encryptStage } from '../encrypt-stage.ts';
import type { EncryptStage } from '../encryption.ts';
import { headerSha256 } from '../pinned-header.ts';
import { defaultChunkBits, headerBody, headerStart, type KeyDerivation } from './header.ts';
import { chunkCipher, headerCheck, headerMac, keyId, passphraseKey } from './key-schedule.ts';
import { defaultScrypt, noScrypt, type ScryptCost } from './scrypt-key.ts';

export type AesSecret = { readonly key: Buffer } | { readonly passphrase: string };

/** For tests and vectors; backups are written with the defaults. */
export interface AesParameters {
  readonly chunkBits?: number;
  readonly scrypt?: ScryptCost;
  /** 32 bytes; never the same twice under one key. */
  readonly salt?: Buffer;
}

/** Encrypts one file: a new salt, and so a new file key, for each. */
export async function encryptAes(
  secret: AesSecret,
  profile?: string,
  parameters: AesParameters = {},
): Promise<EncryptStage> {
  const { chunkBits = defaultChunkBits, salt = randomBytes(32) } = parameters;
  const isKey = 'key' in secret;
  const derivation: KeyDerivation = isKey ? 'raw' : 'scrypt';
  const scrypt = isKey ? noScrypt : (parameters.scrypt ?? defaultScrypt);
  const key = isKey ? secret.key : await passphraseKey(secret.passphrase, salt, scrypt);
  const start = { derivation, chunkBits, scrypt };
  const id = isKey ? keyId(key) : headerCheck(headerStart(start), salt);
  const body = headerBody({ ...start, id, salt });
  const mac = headerMac(key, salt, body);
  const header = Buffer.concat([body, mac]);
  return encryptStage(new SealingStream(header, chunkCipher(key, salt, mac, chunkBits)), {
    type: 'aes-256-gcm',
    profile,
    ...(isKey ? { keyId: id.toString('hex') } : { passphrase: true }),
    salt: salt.toString('hex'),
    headerSha256: headerSha256(header),
  });
}
