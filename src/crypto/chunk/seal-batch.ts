import { type ChunkCipher, sealChunk, tagSize } from './chunk-cipher.ts';

/** Plaintext of one piece, about: what is handed on at a time. */
const pieceBytes = 256 * 1024;

/**
 * Chunks sealed one behind the other, as they are stored, in pieces that each have memory of their own. `plaintext`: not
 * empty, and whole chunks unless `last`: then it ends with the file's last. `firstIndex`: the counter of its first chunk.
 */
export function sealBatch(cipher: ChunkCipher, firstIndex: number, plaintext: Buffer, last: boolean): Buffer[] {
  const { chunkSize } = cipher;
  const chunksAtOnce = Math.max(1, Math.floor(pieceBytes / chunkSize));
  const pieces: Buffer[] = [];
  for (let at = 0, index = firstIndex; at < plaintext.length; at += chunksAtOnce * chunkSize, index += chunksAtOnce) {
    const end = at + chunksAtOnce * chunkSize;
    pieces.push(sealPiece(cipher, index, plaintext.subarray(at, end), last && end >= plaintext.length));
  }
  return pieces;
}

function sealPiece(cipher: ChunkCipher, firstIndex: number, plaintext: Buffer, last: boolean): Buffer {
  const { chunkSize } = cipher;
  const chunks = Math.ceil(plaintext.length / chunkSize);
  const sealed = Buffer.allocUnsafeSlow(plaintext.length + chunks * tagSize);
  let end = 0;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const bytes = plaintext.subarray(chunk * chunkSize, (chunk + 1) * chunkSize);
    const parts = sealChunk(cipher, firstIndex + chunk, last && chunk === chunks - 1, [bytes]);
    for (const part of parts) end += part.copy(sealed, end);
  }
  return sealed;
}
