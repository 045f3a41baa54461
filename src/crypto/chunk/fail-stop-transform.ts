import { Transform, type TransformCallback } from 'node:stream';

/** Bytes a stream buffers on either side: several chunks a turn of the event loop. */
const streamBuffer = 256 * 1024;

/**
 * A Transform that does nothing more once it has failed. Node's own does not stop by itself: writes that were buffered
 * when a write's callback reported an error are still handed to `_transform` in the same turn (tried with 20.20). For a
 * reader that would be: refuse a chunk, then take the next one in its place.
 */
export abstract class FailStopTransform extends Transform {
  #failure: Error | undefined;

  constructor() {
    super({ highWaterMark: streamBuffer });
  }

  /** Pushes what it can; throws or rejects to fail. */
  protected abstract accept(piece: Buffer): void | Promise<void>;
  /** After the last piece. */
  protected abstract finish(): void | Promise<void>;

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#attempt(() => this.accept(piece), done);
  }

  override _flush(done: TransformCallback): void {
    this.#attempt(() => this.finish(), done);
  }

  #attempt(step: () => void | Promise<void>, done: TransformCallback): void {
    const fail = (error: Error) => {
      this.#failure = error;
      done(error);
    };
    if (this.#failure) {
      done(this.#failure);
      return;
    }
    let pending: void | Promise<void>;
    try {
      pending = step();
    } catch (error) {
      fail(error as Error);
      return;
    }
    // Not always a promise: waiting a turn for every piece would cost more than the cipher where pieces are small.
    if (pending instanceof Promise) pending.then(() => done(), fail);
    else done();
  }
}
