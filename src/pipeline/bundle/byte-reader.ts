import type { Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';

/** Takes bytes out of a stream, so many at a time. Throws DUMP_INCOMPLETE where the stream ends too early. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many, in one buffer. */
  async take(bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.pieces(bytes)) pieces.push(piece);
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  /** Exactly so many, as they come. */
  async *pieces(bytes: number): AsyncGenerator<Buffer, void> {
    for (let left = bytes; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#fill())) throw cut();
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async isAtEnd(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#fill());
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#rest = value;
      if (value.length > 0) return true;
    }
  }
}

function cut(): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', 'the bundle is cut off: it ends before its end.json', {
    hint: 'This copy is damaged: restore from another destination or from another backup.',
  });
}
