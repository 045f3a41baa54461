import { Worker } from 'node:worker_threads';
import { builtFile } from '../../installation.ts';
import type { ChunkCipher } from './chunk-cipher.ts';
import { sealedBytes } from './seal-batch.ts';

/** Memory that both threads see: batches cross over without being handed from one heap to the other. */
export interface Slot {
  readonly plaintext: SharedArrayBuffer;
  readonly sealed: SharedArrayBuffer;
}

/** What the thread is started with. */
export interface SealTask {
  readonly cipher: ChunkCipher;
  readonly slots: readonly Slot[];
}

export interface SealRequest {
  /** The slot whose plaintext is to be sealed; comes back as the answer. */
  readonly slot: number;
  readonly firstIndex: number;
}

export interface SealingThreadEvents {
  /** In the order of the requests. `batch` is the thread's own: copy what is to stay. */
  sealed(batch: Buffer): void;
  /** At most once; nothing is sealed after it. */
  failed(error: Error): void;
}

/** Batches: one that is being sealed, one that waits for it, one that is on its way back. */
const slotCount = 3;
/** Enough for a script that keeps nothing; the slots are not counted. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/**
 * Seals beside the main thread, so that hashing and encrypting do not wait for each other. The file's key is handed to
 * the thread in memory. `close` ends it at once, whatever it is doing.
 */
export class SealingThread {
  readonly #worker: Worker;
  readonly #slots: readonly Slot[];
  readonly #free: number[];

  /** `batchBytes`: length of every plaintext that will come, a multiple of the chunk size. */
  constructor(cipher: ChunkCipher, batchBytes: number, events: SealingThreadEvents) {
    this.#slots = Array.from({ length: slotCount }, () => ({
      plaintext: new SharedArrayBuffer(batchBytes),
      sealed: new SharedArrayBuffer(sealedBytes(cipher, batchBytes)),
    }));
    this.#free = [...this.#slots.keys()];
    const workerData: SealTask = { cipher, slots: this.#slots };
    this.#worker = new Worker(builtFile('crypto/chunk/seal-worker.js'), { workerData, resourceLimits });
    this.#worker.on('message', (slot: number) => {
      events.sealed(Buffer.from((this.#slots[slot] as Slot).sealed));
      this.#free.push(slot);
    });
    this.#worker.once('error', (error) => events.failed(error));
  }

  /** All that was asked for has been given back. */
  get isIdle(): boolean {
    return this.#free.length === slotCount;
  }

  /** False: wait for the next batch to come back. */
  get hasRoom(): boolean {
    return this.#free.length > 0;
  }

  /** To be called only with room. */
  seal(firstIndex: number, pieces: readonly Buffer[]): void {
    const slot = this.#free.pop() as number;
    const plaintext = Buffer.from((this.#slots[slot] as Slot).plaintext);
    let end = 0;
    for (const piece of pieces) end += piece.copy(plaintext, end);
    this.#worker.postMessage({ slot, firstIndex } satisfies SealRequest);
  }

  close(): void {
    this.#worker.removeAllListeners();
    // What it may still have to say is of no use to anybody.
    this.#worker.on('error', () => {});
    void this.#worker.terminate();
  }
}
