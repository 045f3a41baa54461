import { Transform, type TransformCallback } from 'node:stream';
import { HeaderLines, type SqlHeader } from './header-lines.ts';
import { sourceError } from './source-error.ts';

/** Passes a dump on and notes the comment lines at its head; names errors after the database. */
export class SqlHeaderReader extends Transform {
  readonly #path: string;
  readonly #lines: HeaderLines;

  constructor(path: string, schema?: number) {
    super();
    this.#path = path;
    this.#lines = new HeaderLines(path, schema);
  }

  header(): SqlHeader {
    return this.#lines.header();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#lines.read(chunk);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error === null ? null : (sourceError(this.#path, error) as Error));
  }
}
