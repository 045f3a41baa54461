import { Transform } from 'node:stream';
import { attempt } from '../attempt.ts';
import { ScriptScanner } from './script-scanner.ts';

/** As much as passes between two rests: many small pieces cost more than the scan itself. */
export const highWaterMark = 1024 * 1024;

/** A pass-through that errors unless a whole dump has passed. */
export class EndOfDumpCheck extends Transform {
  readonly #scanner = new ScriptScanner();

  constructor() {
    super({ readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark });
  }

  /** Rows by table, once the stream has ended. */
  tables(): Readonly<Record<string, number | null>> {
    return this.#scanner.tables();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    attempt(done, () => {
      this.#scanner.push(chunk);
      this.push(chunk);
    });
  }

  override _flush(done: (error?: Error | null) => void): void {
    attempt(done, () => this.#scanner.finish());
  }
}
