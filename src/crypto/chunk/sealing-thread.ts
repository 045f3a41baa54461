import { Worker } from 'node:worker_threads';
import { builtFile } from '../../installation.ts';
import type { ChunkCipher } from './chunk-cipher.ts';

export interface SealRequest {
  readonly firstIndex: number;
  /** Whole chunks. */
  readonly plaintext: ArrayBuffer;
}

export interface SealAnswer {
  readonly sealed: ArrayBuffer;
  /** Comes back to be filled again. */
  readonly plaintext: ArrayBuffer;
}

export interface SealingThreadEvents {
  /** In the order of the requests. */
  sealed(batch: Buffer): void;
  /** At most once; nothing is sealed after it. */
  failed(error: Error): void;
}

/** Enough for a script that keeps nothing; the buffers are not counted. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/**
 * Seals beside the main thread, so that hashing and encrypting do not wait for each other. The file's key is handed to
 * the thread in memory. `close` ends it at once, whatever it is doing.
 */
export class SealingThread {
  readonly #worker: Worker;
  readonly #batchBytes: number;
  readonly #empty: ArrayBuffer[] = [];

  /** `batchBytes`: length of every plaintext that will come. */
  constructor(cipher: ChunkCipher, batchBytes: number, events: SealingThreadEvents) {
    this.#batchBytes = batchBytes;
    this.#worker = new Worker(builtFile('crypto/chunk/seal-worker.js'), { workerData: cipher, resourceLimits });
    this.#worker.on('message', ({ sealed, plaintext }: SealAnswer) => {
      this.#empty.push(plaintext);
      events.sealed(Buffer.from(sealed));
    });
    this.#worker.once('error', (error) => events.failed(error));
  }

  /** Copies `pieces`, which may belong to others. */
  seal(firstIndex: number, pieces: readonly Buffer[]): void {
    const plaintext = this.#empty.pop() ?? new ArrayBuffer(this.#batchBytes);
    let end = 0;
    for (const piece of pieces) end += piece.copy(new Uint8Array(plaintext), end);
    const request: SealRequest = { firstIndex, plaintext };
    this.#worker.postMessage(request, [plaintext]);
  }

  close(): void {
    this.#worker.removeAllListeners();
    // What it may still have to say is of no use to anybody.
    this.#worker.on('error', () => {});
    void this.#worker.terminate();
  }
}
