/**
 * A sample of a stream whose length nobody knows, in a file of bounded size: pieces of equal size, evenly spread over
 * all that has passed. When the file is full every second piece is given up, and from then on every second one is taken.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** Longer than the window of most codecs, so that the seams cost little of what they find. */
const largestPiece = 4 * 2 ** 20;
const fewestPieces = 16;
const readBytes = 256 * 1024;

interface Piece {
  /** Number of the piece in the stream. */
  readonly number: number;
  readonly slot: number;
  bytes: number;
}

export class SpreadSample {
  readonly #file: FileHandle;
  readonly #pieceBytes: number;
  readonly #slots: number;
  #pieces: Piece[] = [];
  #stride = 1;
  #seen = 0;
  #current: Piece | undefined;

  private constructor(file: FileHandle, pieceBytes: number, slots: number) {
    this.#file = file;
    this.#pieceBytes = pieceBytes;
    this.#slots = slots;
  }

  /** `path`: a new file, readable by us alone. `bytes`: at most so large. */
  static async create(path: string, bytes: number): Promise<SpreadSample> {
    const pieceBytes = Math.max(1, Math.min(largestPiece, Math.floor(bytes / fewestPieces)));
    return new SpreadSample(await open(path, 'wx+', 0o600), pieceBytes, Math.max(1, Math.floor(bytes / pieceBytes)));
  }

  /** Bytes of the stream so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  }

  get pieces(): number {
    return this.#pieces.length;
  }

  async add(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const offset = this.#seen % this.#pieceBytes;
      if (offset === 0) this.#current = this.#beginPiece(this.#seen / this.#pieceBytes);
      const part = rest.subarray(0, this.#pieceBytes - offset);
      if (this.#current) await this.#write(part, this.#current);
      this.#seen += part.length;
      rest = rest.subarray(part.length);
    }
  }

  #beginPiece(number: number): Piece | undefined {
    if (number % this.#stride !== 0) return undefined;
    if (this.#pieces.length === this.#slots) {
      this.#stride *= 2;
      this.#pieces = this.#pieces.filter((piece) => piece.number % this.#stride === 0);
      if (number % this.#stride !== 0 || this.#pieces.length === this.#slots) return undefined;
    }
    const taken = new Set(this.#pieces.map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    const piece = { number, slot, bytes: 0 };
    this.#pieces.push(piece);
    return piece;
  }

  async #write(part: Buffer, piece: Piece): Promise<void> {
    let position = piece.slot * this.#pieceBytes + piece.bytes;
    for (let rest = part; rest.length > 0; ) {
      const { bytesWritten } = await this.#file.write(rest, 0, rest.length, position);
      position += bytesWritten;
      piece.bytes += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  }

  /** What was kept, in the order of the stream. May be read any number of times. */
  read(): Readable {
    return Readable.from(this.#chunks(), { objectMode: false });
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    for (const { slot, bytes } of this.#pieces) {
      for (let done = 0; done < bytes; ) {
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, bytes - done));
        const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, slot * this.#pieceBytes + done);
        if (bytesRead === 0) return;
        done += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
