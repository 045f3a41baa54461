import { Worker } from 'node:worker_threads';
import { DbBackupError } from '../../errors.ts';
import { builtFile } from '../../installation.ts';
import type { ChunkCipher } from './chunk-cipher.ts';

/** What a thread is started with. */
export interface SlotThreadData {
  readonly cipher: ChunkCipher;
  /** Memory that both threads see: bytes go over without being handed from one heap to the other. */
  readonly slots: readonly SharedArrayBuffer[];
}

export interface SlotRequest<Task> {
  readonly slot: number;
  /** Length of what the slot holds. */
  readonly bytes: number;
  readonly task: Task;
}

export interface SlotAnswer<Result> {
  /** As in the request: it may be filled again. */
  readonly slot: number;
  readonly result: Result;
}

export interface SlotThreadEvents<Result> {
  /** In the order of the requests. */
  answered(result: Result): void;
  /** At most once; nothing is answered after it. */
  failed(error: Error): void;
}

/** One that is being worked on, one that waits for it, one that is on its way back. */
const slotCount = 3;
/** Enough for a script that keeps nothing; the slots are not counted. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/**
 * A thread that works on chunks beside the main one, which has a hash of its own to do. The file's key is handed to it in
 * memory. `close` ends it at once, whatever it is doing.
 */
export class SlotThread<Task, Result> {
  readonly #worker: Worker;
  readonly #slots: readonly SharedArrayBuffer[];
  readonly #free: number[];

  /** `script`: under `dist/`, serving slots. `slotBytes`: the most that will be given at a time. */
  constructor(script: string, cipher: ChunkCipher, slotBytes: number, events: SlotThreadEvents<Result>) {
    this.#slots = Array.from({ length: slotCount }, () => new SharedArrayBuffer(slotBytes));
    this.#free = [...this.#slots.keys()];
    const workerData: SlotThreadData = { cipher, slots: this.#slots };
    this.#worker = new Worker(builtFile(script), { workerData, resourceLimits });
    this.#worker.on('message', ({ slot, result }: SlotAnswer<Result>) => {
      this.#free.push(slot);
      events.answered(result);
    });
    this.#worker.once('error', (error) => {
      this.close();
      events.failed(error);
    });
    this.#worker.once('exit', (code) => {
      events.failed(new DbBackupError('UNEXPECTED', `the thread ${script} ended early, with ${code}`));
    });
  }

  /** All that was asked for has been given back. */
  get isIdle(): boolean {
    return this.#free.length === slotCount;
  }

  /** False: wait for the next answer. */
  get hasRoom(): boolean {
    return this.#free.length > 0;
  }

  /** To be called only with room. */
  give(pieces: readonly Buffer[], task: Task): void {
    const slot = this.#free.pop() as number;
    const memory = Buffer.from(this.#slots[slot] as SharedArrayBuffer);
    let bytes = 0;
    for (const piece of pieces) bytes += piece.copy(memory, bytes);
    this.#worker.postMessage({ slot, bytes, task } satisfies SlotRequest<Task>);
  }

  close(): void {
    this.#worker.removeAllListeners();
    // What it may still have to say is of no use to anybody.
    this.#worker.on('error', () => {});
    void this.#worker.terminate();
  }
}
