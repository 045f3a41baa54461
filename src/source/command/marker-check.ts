import { Transform } from 'node:stream';
import { DbBackupError } from '../../errors.ts';

/** A pass-through that errors for an empty dump, and for one without the given start or end. */
export class MarkerCheck extends Transform {
  readonly #start: Buffer;
  readonly #end: Buffer;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;

  /** Empty: nothing is asked of it. */
  constructor(start: Buffer = Buffer.alloc(0), end: Buffer = Buffer.alloc(0)) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
    this.#start = start;
    this.#end = end;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const missing = this.#start.length - this.#head.length;
    if (missing > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, missing)]);
    if (this.#end.length > 0) {
      const last = chunk.subarray(Math.max(0, chunk.length - this.#end.length));
      this.#tail = Buffer.concat([this.#tail, last]).subarray(-this.#end.length);
    }
    this.#bytes += chunk.length;
    this.push(chunk);
    done();
  }

  override _flush(done: (error?: Error | null) => void): void {
    done(this.#problem());
  }

  #problem(): DbBackupError | null {
    if (this.#bytes === 0) return new DbBackupError('DUMP_EMPTY', 'empty dump: the command wrote not one byte');
    if (!this.#head.equals(this.#start)) return incomplete('does not start with "startsWith"');
    return this.#tail.equals(this.#end) ? null : incomplete('does not end with "endsWith"');
  }
}

function incomplete(problem: string): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', `incomplete dump: it ${problem}`, {
    hint: 'The program ended before it was done, or the marker is not what it writes.',
  });
}
