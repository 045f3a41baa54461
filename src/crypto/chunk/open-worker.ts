/** A thread of its own that opens chunks: the other side of an `OpeningStream`. */
import { countTowardsCollection } from '../../pipeline/dead-buffers.ts';
import { tagSize } from './chunk-cipher.ts';
import { openBatch } from './open-batch.ts';
import { serveSlots } from './serve-slots.ts';

export interface OpenTask {
  readonly firstIndex: number;
}

export interface Opened {
  readonly pieces: readonly Uint8Array[];
  /** How many chunks the pieces are. */
  readonly chunks: number;
  /** Stored bytes of the chunk after them, which is not authentic. Nothing that is answered later counts. */
  readonly refused?: Uint8Array;
}

/** The cipher makes its output anew for every chunk. */
const collectEvery = 2 * 1024 * 1024;

serveSlots<OpenTask, Opened>((cipher) => (stored, { firstIndex }) => {
  const size = cipher.chunkSize + tagSize;
  const { pieces, chunks } = openBatch(cipher, firstIndex, stored);
  countTowardsCollection(stored.length, collectEvery);
  const refused = Uint8Array.from(stored.subarray(chunks * size, (chunks + 1) * size));
  return { result: { pieces, chunks, refused: refused.length > 0 ? refused : undefined }, given: pieces };
});
