/**
 * How many bytes per second may pass: a token bucket, and a stream that waits for it.
 * Guarantees: over any time t no more than rate × (t + 0.25 s) passes, whoever shares the bucket, first come first
 * served; what waits is one chunk, the rest stays with whoever sends it (backpressure); a destroyed stream waits no more.
 */
import { Transform, type TransformCallback } from 'node:stream';

/** What may pass at once after a pause, and the longest wait between two pieces of one chunk. */
const burstSeconds = 0.25;

export class Bandwidth {
  readonly bytesPerSecond: number;
  readonly #now: () => number;
  /** When all that was granted so far has passed, in ms. */
  #free = 0;

  /** `now`: a clock in ms that never goes back. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.bytesPerSecond = bytesPerSecond;
    this.#now = now;
  }

  /** The largest piece that should be asked for at once. */
  get pieceBytes(): number {
    return Math.max(1, Math.floor(this.bytesPerSecond * burstSeconds));
  }

  /** Grants so many bytes and returns in how many ms they may pass. */
  take(bytes: number): number {
    const now = this.#now();
    this.#free = Math.max(this.#free, now - burstSeconds * 1000) + (bytes / this.bytesPerSecond) * 1000;
    return Math.max(0, this.#free - now);
  }

  /** A stream that passes on what comes in, at this rate. */
  throttle(): Transform {
    return new Throttle(this);
  }
}

class Throttle extends Transform {
  readonly #bandwidth: Bandwidth;
  #timer: NodeJS.Timeout | undefined;

  constructor(bandwidth: Bandwidth) {
    // One chunk waits here; more would only be memory.
    super({ writableHighWaterMark: 1, readableHighWaterMark: 64 * 1024 });
    this.#bandwidth = bandwidth;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const piece = chunk.subarray(0, this.#bandwidth.pieceBytes);
    const pass = () => {
      if (piece.length === chunk.length) done(null, chunk);
      else {
        this.push(piece);
        this._transform(chunk.subarray(piece.length), _encoding, done);
      }
    };
    const wait = this.#bandwidth.take(piece.length);
    if (wait < 1) pass();
    else this.#timer = setTimeout(pass, wait);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }
}
