/** A thread of its own that seals a stream and hashes it: the other side of a `SealingStream`. */
import { createHash } from 'node:crypto';
import { countTowardsCollection } from '../../pipeline/dead-buffers.ts';
import { sealBatch } from './seal-batch.ts';
import { serveSlots } from './serve-slots.ts';

/** What to do with a slot: seal the chunks in it, or only hash what the main thread has sealed. */
export type SealTask = { readonly firstIndex: number; readonly last: boolean } | 'hash';

export interface Sealed {
  readonly pieces: readonly Uint8Array[];
  /** Hex, of all that was hashed: with the last batch. */
  readonly sha256?: string;
}

/** The cipher makes its output anew for every chunk. */
const collectEvery = 2 * 1024 * 1024;

serveSlots<SealTask, Sealed>((cipher) => {
  const hash = createHash('sha256');
  return (bytes, task) => {
    if (task === 'hash') {
      hash.update(bytes);
      return { result: { pieces: [] }, given: [] };
    }
    const pieces = sealBatch(cipher, task.firstIndex, bytes, task.last);
    for (const piece of pieces) hash.update(piece);
    countTowardsCollection(bytes.length, collectEvery);
    const sha256 = task.last ? hash.digest('hex') : undefined;
    return { result: { pieces, sha256 }, given: pieces };
  };
});
