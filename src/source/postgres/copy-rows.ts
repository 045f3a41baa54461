import { lineFeed } from '../ascii.ts';
import { countNewlines } from '../count-newlines.ts';
import type { Passage } from './passage.ts';

const copyEnd = Buffer.from('\n\\.\n');

/** Passes and counts the rows of one COPY, from behind its semicolon to the line `\.`. */
export class CopyRows implements Passage {
  readonly last = 0;
  /** Of `copyEnd`, at the end of the chunk before; -1 on the statement's own line. */
  #matched = -1;
  #rows = 0;

  /** Counted in the chunk that was passed last. */
  get rows(): number {
    return this.#rows;
  }

  pass(chunk: Buffer, start: number): number {
    this.#rows = 0;
    let at = start;
    if (this.#matched === -1) {
      at = chunk.indexOf(lineFeed, start) + 1;
      if (at === 0) return -1;
      // The end mark is a line of its own, and a line begins here.
      this.#matched = 1;
    }
    return this.#passRows(chunk, at);
  }

  #passRows(chunk: Buffer, start: number): number {
    const at = this.#matchRest(chunk, start);
    if (this.#matched === copyEnd.length || at === chunk.length) return this.#matched === copyEnd.length ? at : -1;
    const found = chunk.indexOf(copyEnd, at);
    this.#rows = countNewlines(chunk, at, found === -1 ? chunk.length : found + 1);
    if (found !== -1) return found + copyEnd.length;
    for (let length = 1; length < copyEnd.length; length++) {
      if (chunk.subarray(Math.max(at, chunk.length - length)).equals(copyEnd.subarray(0, length)))
        this.#matched = length;
    }
    return -1;
  }

  /** What may be the end mark and began in the chunk before. Returns how far it was compared. */
  #matchRest(chunk: Buffer, start: number): number {
    let at = start;
    while (this.#matched > 0 && this.#matched < copyEnd.length && at < chunk.length) {
      if (chunk[at] === copyEnd[this.#matched]) {
        at++;
        this.#matched++;
      } else {
        this.#matched = 0;
      }
    }
    return at;
  }
}
