import { hkdfSync } from 'node:crypto';
import type { ChunkCipher } from '../chunk/chunk-cipher.ts';

/** Stands between the header and the first chunk. */
export const payloadNonceSize = 16;

/** C2SP age.md, "Payload": 64 KiB chunks of ChaCha20-Poly1305 under HKDF-SHA256(file key, nonce, "payload"). */
export function payloadCipher(fileKey: Buffer, nonce: Buffer): ChunkCipher {
  const key = Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
  return { algorithm: 'chacha20-poly1305', key, chunkSize: 64 * 1024 };
}
