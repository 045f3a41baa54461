/** Everything that is derived from a key K (see ../FORMAT.md). */
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { ChunkCipher } from '../chunk/chunk-cipher.ts';
import { type ScryptCost, scryptKey } from './scrypt-key.ts';

/** 16 bytes that name a key without giving it away. */
export function keyId(key: Buffer): Buffer {
  return createHmac('sha256', key).update('dbbackup-keyid-v1').digest().subarray(0, 16);
}

/** 16 bytes in the place of the key id that tell a damaged header from a wrong passphrase. */
export function headerCheck(start: Buffer, salt: Buffer): Buffer {
  return createHash('sha256').update(start).update(salt).digest().subarray(0, 16);
}

export function passphraseKey(passphrase: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  return scryptKey(passphrase, Buffer.concat([Buffer.from('dbbackup-scrypt-v1'), salt]), cost);
}

/** Over bytes 0–63. */
export function headerMac(key: Buffer, salt: Buffer, body: Buffer): Buffer {
  return createHmac('sha256', subkey(key, salt, 'header'))
    .update(body)
    .digest();
}

export function chunkCipher(key: Buffer, salt: Buffer, mac: Buffer, chunkBits: number): ChunkCipher {
  const fileKey = subkey(key, salt, 'payload');
  return { algorithm: 'aes-256-gcm', key: fileKey, additionalData: mac, chunkSize: 2 ** chunkBits };
}

function subkey(key: Buffer, salt: Buffer, info: 'header' | 'payload'): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, 32));
}
