/** A parser's step: it yields when it has used up its bytes, and goes on when there are more. */
export type Step<Result = void> = Generator<void, Result, void>;

/**
 * Runs a parser that pulls bytes over chunks that are pushed: the parser is written straight down, as generators, and
 * nothing is kept between chunks but its place.
 */
export abstract class PullParser {
  protected chunk: Buffer = Buffer.alloc(0);
  /** Of the next byte in `chunk`. */
  protected position = 0;
  #bytes = 0;
  #parsed = false;
  #steps: Step | undefined;

  /** Bytes seen so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when the parser has reached its end: nothing may follow. */
  get parsed(): boolean {
    return this.#parsed;
  }

  /** Of the next byte, in all that was pushed. */
  get offset(): number {
    return this.#bytes - this.chunk.length + this.position;
  }

  /** Throws what the parser throws. Bytes after its end are left unread: `position` < `chunk.length`. */
  push(chunk: Buffer): void {
    this.chunk = chunk;
    this.position = 0;
    this.#bytes += chunk.length;
    if (this.#parsed) return;
    this.#steps ??= this.parse();
    this.#parsed = this.#steps.next().done === true;
  }

  protected abstract parse(): Step;

  protected *byte(): Step<number> {
    while (this.position === this.chunk.length) yield;
    return this.chunk[this.position++] ?? 0;
  }

  protected *skip(bytes: number): Step {
    for (let left = bytes; left > 0; ) {
      const step = Math.min(left, this.chunk.length - this.position);
      this.position += step;
      left -= step;
      if (left > 0) yield;
    }
  }

  protected *take(bytes: number): Step<Buffer> {
    const taken = Buffer.allocUnsafe(bytes);
    for (let filled = 0; filled < bytes; ) {
      const copied = this.chunk.copy(taken, filled, this.position);
      this.position += copied;
      filled += copied;
      if (filled < bytes) yield;
    }
    return taken;
  }
}
