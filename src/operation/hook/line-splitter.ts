import { StringDecoder } from 'node:string_decoder';

/** Longest line kept while it grows, in characters; beyond it the rest of the line is dropped. */
const longestLine = 64 * 1024;

/** Turns chunks of output into lines, in bounded memory whatever a program writes. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #line = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Buffer): void {
    const [first = '', ...rest] = this.#decoder.write(chunk).split('\n');
    this.#grow(first);
    for (const piece of rest) {
      this.#flush();
      this.#grow(piece);
    }
  }

  /** A last line without its line end is a line too. */
  end(): void {
    this.#grow(this.#decoder.end());
    this.#flush();
  }

  #grow(piece: string): void {
    this.#line += piece.slice(0, longestLine - this.#line.length);
  }

  #flush(): void {
    const line = this.#line.trimEnd();
    this.#line = '';
    if (line !== '') this.#onLine(line);
  }
}
