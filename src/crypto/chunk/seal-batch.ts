import { type ChunkCipher, sealChunk, tagSize } from './chunk-cipher.ts';

/** Length of a sealed batch. `plaintextBytes`: a multiple of the chunk size. */
export function sealedBytes({ chunkSize }: ChunkCipher, plaintextBytes: number): number {
  return plaintextBytes + (plaintextBytes / chunkSize) * tagSize;
}

/**
 * Whole chunks, none of them the last of its file, sealed one behind the other into `sealed`, as they are stored.
 * `plaintext`: a multiple of the chunk size. `firstIndex`: the counter of its first chunk.
 */
export function sealBatch(cipher: ChunkCipher, firstIndex: number, plaintext: Buffer, sealed: Buffer): void {
  let end = 0;
  for (let start = 0, index = firstIndex; start < plaintext.length; start += cipher.chunkSize, index += 1) {
    const chunk = plaintext.subarray(start, start + cipher.chunkSize);
    for (const part of sealChunk(cipher, index, false, [chunk])) end += part.copy(sealed, end);
  }
}
