import { Duplex } from 'node:stream';

/** A synchronous encoder or decoder, fed in steps of bounded output. */
export interface Coder {
  /**
   * Takes from the front of `input`; is called again with the rest until `settled`. With `ending` the input is empty
   * and no more will come: settled = everything has been given out. Throws on damaged input.
   */
  step(input: Buffer, ending: boolean): CoderStep;
}

export interface CoderStep {
  readonly output: Buffer;
  readonly consumed: number;
  readonly settled: boolean;
}

const nothing: Buffer = Buffer.alloc(0);

/**
 * A coder as a stream. A step runs only when its output is wanted, so that a chunk which expands a million times waits
 * for its reader, and the event loop gets its turn after every step, so that Ctrl-C and time-outs are heard meanwhile.
 */
export class CoderStream extends Duplex {
  readonly #coder: Coder;
  #input: Buffer = nothing;
  #ending = false;
  #done: ((error?: Error) => void) | undefined;
  #wanted = false;
  #scheduled = false;

  constructor(coder: Coder) {
    super({ highWaterMark: 256 * 1024 });
    this.#coder = coder;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#input = chunk;
    this.#done = done;
    this.#work();
  }

  override _final(done: (error?: Error) => void): void {
    this.#ending = true;
    this.#done = (error) => {
      if (error === undefined) this.push(null);
      done(error);
    };
    this.#work();
  }

  override _read(): void {
    this.#wanted = true;
    this.#workSoon();
  }

  #work(): void {
    if (this.#done === undefined || !this.#wanted || this.destroyed) return;
    const step = this.#attempt();
    if (step === undefined) return;
    this.#input = this.#input.subarray(step.consumed);
    if (step.output.length > 0) this.#wanted = this.push(step.output);
    if (step.settled) this.#finish();
    else if (this.#wanted) this.#workSoon();
  }

  #attempt(): CoderStep | undefined {
    try {
      return this.#coder.step(this.#input, this.#ending);
    } catch (error) {
      this.#finish(error as Error);
      return undefined;
    }
  }

  #finish(error?: Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }

  #workSoon(): void {
    if (this.#scheduled || this.#done === undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#work();
    });
  }
}
