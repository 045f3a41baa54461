import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';

/**
 * A stream of what a generator yields, which can be stopped at any moment. (`Readable.from` waits for the next piece
 * before it closes, and a silent program gives none.) Its signal is aborted when the reader gives up before the end;
 * `close` comes when the generator has finished with that.
 */
export class GeneratedStream extends Readable {
  readonly #pieces: AsyncGenerator<Buffer, void>;
  readonly #stop = new AbortController();
  #pending: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(generate: (signal: AbortSignal) => AsyncGenerator<Buffer, void>) {
    super({ highWaterMark: 1024 * 1024 });
    setMaxListeners(0, this.#stop.signal);
    this.#pieces = generate(this.#stop.signal);
  }

  override _read(): void {
    this.#pending = this.#pull();
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#pieces.next();
      if (this.destroyed) return;
      this.#ended = done === true;
      this.push(done ? null : value);
    } catch (error) {
      this.#ended = true;
      this.destroy(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#ended) this.#stop.abort(error ?? new Error('the reader gave up'));
    const finished = this.#pending.then(() => this.#pieces.return());
    finished.then(
      () => done(error),
      () => done(error),
    );
  }
}
