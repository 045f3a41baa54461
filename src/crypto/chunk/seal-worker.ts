/** A thread of its own that seals batches for a `SealingThread`, in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ChunkCipher } from './chunk-cipher.ts';
import { sealBatch } from './seal-batch.ts';
import type { SealRequest, SealTask } from './sealing-thread.ts';

// Buffers cross over as plain byte arrays.
const given = workerData as SealTask;
const additionalData = given.cipher.additionalData && Buffer.from(given.cipher.additionalData);
const cipher: ChunkCipher = { ...given.cipher, key: Buffer.from(given.cipher.key), additionalData };
const slots = given.slots.map(({ plaintext, sealed }) => ({
  plaintext: Buffer.from(plaintext),
  sealed: Buffer.from(sealed),
}));

parentPort?.on('message', ({ slot, firstIndex }: SealRequest) => {
  const { plaintext, sealed } = slots[slot] as (typeof slots)[number];
  sealBatch(cipher, firstIndex, plaintext, sealed);
  parentPort?.postMessage(slot);
});
