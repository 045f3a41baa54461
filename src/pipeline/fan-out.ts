import { Readable, Writable } from 'node:stream';

/** Bytes that may wait in one branch; chunks are shared between branches, never copied. */
const branchBytes = 256 * 1024;

/**
 * Writes every chunk to all living branches and takes the next one when the slowest of them asks for more. A branch
 * that is destroyed no longer counts. Branches end only when the input has ended; `fail` makes all of them error.
 */
export class FanOut extends Writable {
  readonly branches: readonly Readable[];
  readonly #living = new Set<Readable>();
  readonly #full = new Set<Readable>();
  #next: (() => void) | undefined;

  constructor(count: number) {
    super({ highWaterMark: branchBytes });
    // It may fail before a pipeline listens; the branches tell of the failure.
    this.on('error', () => {});
    this.branches = Array.from({ length: count }, () => this.#open());
  }

  /** Errors every branch that has not been read to its end, and the input with it. */
  fail(error: Error): void {
    for (const branch of this.branches) if (!branch.readableEnded) branch.destroy(error);
    this.destroy(error);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const branch of this.#living) if (!branch.push(chunk)) this.#full.add(branch);
    this.#next = done;
    this.#proceed();
  }

  override _final(done: () => void): void {
    for (const branch of this.#living) branch.push(null);
    done();
  }

  #open(): Readable {
    const branch = new Readable({ highWaterMark: branchBytes, read: () => this.#drained(branch) });
    // A sink may not listen yet when the run fails.
    branch.on('error', () => {});
    branch.once('close', () => {
      this.#living.delete(branch);
      this.#drained(branch);
    });
    this.#living.add(branch);
    return branch;
  }

  #drained(branch: Readable): void {
    this.#full.delete(branch);
    this.#proceed();
  }

  #proceed(): void {
    // Without a living branch the input stands still until the run has been failed by whoever owns it.
    if (this.#full.size > 0 || this.#living.size === 0) return;
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}
