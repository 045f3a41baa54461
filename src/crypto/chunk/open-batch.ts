import { type ChunkCipher, openChunk, tagSize } from './chunk-cipher.ts';

/** Plaintext of one piece, about: what is handed on at a time. */
const pieceBytes = 256 * 1024;

export interface OpenedBatch {
  /** The plaintext of the chunks before the one that is not authentic, in pieces that each have memory of their own. */
  readonly pieces: readonly Buffer[];
  /** How many chunks that are: fewer than were given when one of them is not authentic. */
  readonly chunks: number;
}

/** Whole chunks, none of them the last of its file. `firstIndex`: the counter of the first. */
export function openBatch(cipher: ChunkCipher, firstIndex: number, stored: Buffer): OpenedBatch {
  const size = cipher.chunkSize + tagSize;
  const given = stored.length / size;
  const atOnce = Math.max(1, Math.floor(pieceBytes / cipher.chunkSize));
  const pieces: Buffer[] = [];
  for (let done = 0; done < given; done += atOnce) {
    const some = stored.subarray(done * size, (done + atOnce) * size);
    const piece = Buffer.allocUnsafeSlow((some.length / size) * cipher.chunkSize);
    const chunks = openInto(piece, cipher, firstIndex + done, some);
    const opened = piece.subarray(0, chunks * cipher.chunkSize);
    if (opened.length > 0) pieces.push(opened);
    if (opened.length < piece.length) return { pieces, chunks: done + chunks };
  }
  return { pieces, chunks: given };
}

/** Gives the number of chunks that were opened: fewer than there are when the next one is not authentic. */
function openInto(piece: Buffer, cipher: ChunkCipher, firstIndex: number, stored: Buffer): number {
  const size = cipher.chunkSize + tagSize;
  for (let chunk = 0, end = 0; chunk * size < stored.length; chunk += 1) {
    const [at, tagAt] = [chunk * size, (chunk + 1) * size - tagSize];
    const tag = stored.subarray(tagAt, tagAt + tagSize);
    const opened = openChunk(cipher, firstIndex + chunk, false, [stored.subarray(at, tagAt)], tag);
    if (opened === undefined) return chunk;
    for (const part of opened) end += part.copy(piece, end);
  }
  return stored.length / size;
}
