/**
 * One chunk of the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) that both formats share: an
 * authenticated cipher per chunk; nonce = 11-byte big-endian counter ‖ 1 if last, else 0.
 */
import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto';
import { DbBackupError } from '../../errors.ts';

export interface ChunkCipher {
  readonly algorithm: 'aes-256-gcm' | 'chacha20-poly1305';
  /** 32 bytes, used for this one file. */
  readonly key: Buffer;
  /** Authenticated with every chunk. */
  readonly additionalData?: Buffer;
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkSize: number;
}

export const tagSize = 16;
/** 2^48 chunks of 64 KiB are 2^64 bytes: far above any store's limit, far below the 11-byte counter's. */
export const maxChunks = 2 ** 48;

/** Throws LIMIT_EXCEEDED rather than let a nonce come twice. */
export function chunkNonce(index: number, last: boolean): Buffer {
  if (index >= maxChunks) throw new DbBackupError('LIMIT_EXCEEDED', 'the encrypted stream has more than 2^48 chunks');
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Ciphertext, then the tag as the last piece: joining them would cost half as much again as the cipher itself. */
export function sealChunk(
  cipher: ChunkCipher,
  index: number,
  last: boolean,
  pieces: readonly Buffer[],
): readonly Buffer[] {
  const sealer = createCipheriv(gcmLike(cipher), cipher.key, chunkNonce(index, last), { authTagLength: tagSize });
  if (cipher.additionalData) sealer.setAAD(cipher.additionalData);
  const sealed = pieces.map((piece) => sealer.update(piece));
  sealer.final();
  return [...sealed, sealer.getAuthTag()];
}

/** The plaintext, or undefined when the chunk is not authentic: nothing of it is released then. */
export function openChunk(
  cipher: ChunkCipher,
  index: number,
  last: boolean,
  pieces: readonly Buffer[],
  tag: Buffer,
): readonly Buffer[] | undefined {
  const opener = createDecipheriv(gcmLike(cipher), cipher.key, chunkNonce(index, last), { authTagLength: tagSize });
  if (cipher.additionalData) opener.setAAD(cipher.additionalData);
  opener.setAuthTag(tag);
  const opened = pieces.map((piece) => opener.update(piece));
  try {
    opener.final();
    return opened;
  } catch {
    return undefined;
  }
}

// node:crypto's types know only GCM's calls, which ChaCha20-Poly1305 shares.
function gcmLike(cipher: ChunkCipher): CipherGCMTypes {
  return cipher.algorithm as CipherGCMTypes;
}
