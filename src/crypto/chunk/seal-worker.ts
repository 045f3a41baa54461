/** A thread of its own that seals batches for a `SealingThread`, in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ChunkCipher } from './chunk-cipher.ts';
import { sealBatch } from './seal-batch.ts';
import type { SealAnswer, SealRequest } from './sealing-thread.ts';

// Buffers cross over as plain byte arrays.
const given = workerData as ChunkCipher;
const additionalData = given.additionalData && Buffer.from(given.additionalData);
const cipher: ChunkCipher = { ...given, key: Buffer.from(given.key), additionalData };

parentPort?.on('message', ({ firstIndex, plaintext }: SealRequest) => {
  const sealed = sealBatch(cipher, firstIndex, Buffer.from(plaintext)).buffer as ArrayBuffer;
  const answer: SealAnswer = { sealed, plaintext };
  parentPort?.postMessage(answer, [sealed, plaintext]);
});
