import { availableParallelism } from 'node:os';
import type { ChunkCipher } from './chunk-cipher.ts';
import { FailStopTransform } from './fail-stop-transform.ts';
import { SlotThread } from './slot-thread.ts';

/** A thread takes 30 ms to start: short streams are over by then. */
const bytesBeforeThread = 2 * 1024 * 1024;
/** What goes to the thread at a time, about. */
const slotBytes = 512 * 1024;

/**
 * A Transform that hands long streams to a thread beside the main one, where there is more than one core. What waits on
 * either side stays bounded: nothing is given to the thread before whoever reads wants more.
 */
export abstract class ThreadedTransform<Task, Result> extends FailStopTransform {
  protected readonly mayHaveThread = availableParallelism() > 1;
  readonly #script: string;
  #thread: SlotThread<Task, Result> | undefined;
  #onChange: (() => void) | undefined;

  /** `script`: under `dist/`, serving slots. */
  constructor(script: string) {
    super();
    this.#script = script;
  }

  /** The answer to a task, in the order in which they were given. What it throws fails the stream. */
  protected abstract answered(result: Result): void;

  protected get hasThread(): boolean {
    return this.#thread !== undefined;
  }

  protected wantsThread(bytesSoFar: number): boolean {
    return this.mayHaveThread && bytesSoFar >= bytesBeforeThread;
  }

  /** Chunks that go to the thread at a time, each of `size` bytes. */
  protected chunksPerTask(size: number): number {
    return Math.max(1, Math.floor(slotBytes / size));
  }

  /** `taskBytes`: the most that will be given with one task. */
  protected startThread(cipher: ChunkCipher, taskBytes: number): void {
    this.#thread = new SlotThread(this.#script, cipher, taskBytes, {
      answered: (result) => this.#take(result),
      failed: (error) => this.destroy(error),
    });
  }

  /** Resolves when the thread has taken it, and never when the stream is destroyed: then nobody waits. */
  protected async give(pieces: readonly Buffer[], task: Task): Promise<void> {
    const thread = this.#thread as SlotThread<Task, Result>;
    while (!thread.hasRoom || this.readableLength >= this.readableHighWaterMark) await this.#change();
    thread.give(pieces, task);
  }

  /** Ends the thread once it has answered everything. */
  protected async finishThread(): Promise<void> {
    while (this.#thread?.isIdle === false) await this.#change();
    this.#thread?.close();
  }

  override _read(size: number): void {
    super._read(size);
    this.#onChange?.();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#thread?.close();
    done(error);
  }

  #take(result: Result): void {
    try {
      this.answered(result);
    } catch (error) {
      this.destroy(error as Error);
    }
    this.#onChange?.();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }
}
