import { type ChunkCipher, sealChunk, tagSize } from './chunk-cipher.ts';

/**
 * Whole chunks, none of them the last of its file, sealed one behind the other as they are stored. `plaintext`: a
 * multiple of the chunk size. `firstIndex`: the counter of its first chunk.
 */
export function sealBatch(cipher: ChunkCipher, firstIndex: number, plaintext: Buffer): Buffer {
  const chunks = plaintext.length / cipher.chunkSize;
  const sealed = Buffer.allocUnsafeSlow(plaintext.length + chunks * tagSize);
  let end = 0;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const piece = plaintext.subarray(chunk * cipher.chunkSize, (chunk + 1) * cipher.chunkSize);
    for (const part of sealChunk(cipher, firstIndex + chunk, false, [piece])) end += part.copy(sealed, end);
  }
  return sealed;
}
