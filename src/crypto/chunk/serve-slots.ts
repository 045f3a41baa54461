import { parentPort, type TransferListItem, workerData } from 'node:worker_threads';
import type { ChunkCipher } from './chunk-cipher.ts';
import type { SlotAnswer, SlotRequest, SlotThreadData } from './slot-thread.ts';

/** What a thread answers. `given`: buffers of the result that are the main thread's from then on. */
export interface Served<Result> {
  readonly result: Result;
  readonly given: readonly Buffer[];
}

/** The other side of a `SlotThread`: answers every request in turn. `bytes` are in shared memory. */
export function serveSlots<Task, Result>(
  begin: (cipher: ChunkCipher) => (bytes: Buffer, task: Task) => Served<Result>,
): void {
  const data = workerData as SlotThreadData;
  const serve = begin(asBuffers(data.cipher));
  const slots = data.slots.map((slot) => Buffer.from(slot));
  parentPort?.on('message', ({ slot, bytes, task }: SlotRequest<Task>) => {
    const { result, given } = serve((slots[slot] as Buffer).subarray(0, bytes), task);
    const transfer = given.map(({ buffer }) => buffer as TransferListItem & ArrayBuffer);
    parentPort?.postMessage({ slot, result } satisfies SlotAnswer<Result>, transfer);
  });
}

/** Buffers cross over as plain byte arrays. */
function asBuffers(cipher: ChunkCipher): ChunkCipher {
  const additionalData = cipher.additionalData && Buffer.from(cipher.additionalData);
  return { ...cipher, key: Buffer.from(cipher.key), additionalData };
}
