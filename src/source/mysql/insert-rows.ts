import { backslash, closing, lineFeed, quote, semicolon } from '../ascii.ts';

/**
 * Passes and counts the rows of one INSERT, from behind `VALUES` to its semicolon, whatever their length: nothing is
 * kept but the place. mysqldump writes all rows into one line; mariadb-dump puts each on a line of its own.
 */
export class InsertRows {
  #onLines = false;
  #previous = 0;
  #escaped = false;
  #inString = false;
  #rows = 0;
  #lines = 0;

  /** Counted in the chunk that was passed last. */
  get rows(): number {
    return this.#rows;
  }

  /** Line ends in the chunk that was passed last. */
  get lines(): number {
    return this.#lines;
  }

  /** The index behind the end of the rows, or -1 where the chunk ends before. */
  pass(chunk: Buffer): number {
    this.#rows = 0;
    this.#lines = 0;
    let end = this.#onLines ? 0 : this.#skipRows(chunk);
    if (this.#onLines) end = this.#skipLines(chunk, end);
    return end;
  }

  /** Both programs escape line ends within values: the line that ends with `;` is the last row. */
  #skipLines(chunk: Buffer, start: number): number {
    let [rows, end] = [0, -1];
    if (start === 0 && chunk[0] === lineFeed && this.#previous === semicolon) end = 0;
    for (let at = start; end === -1; at++) {
      at = chunk.indexOf(lineFeed, at);
      if (at === -1) break;
      if (at > start && chunk[at - 1] === semicolon) end = at;
      else rows++;
    }
    this.#rows += rows;
    this.#lines += rows;
    this.#previous = chunk[chunk.length - 1] ?? 0;
    return end;
  }

  /** Stops at the rows' end, or at a line end, where there is one row a line. */
  #skipRows(chunk: Buffer): number {
    let [rows, at] = [0, 0];
    for (; at < chunk.length; at++) {
      if (this.#inString) {
        at = this.#skipString(chunk, at);
        continue;
      }
      let byte = chunk[at];
      while (byte !== quote && byte !== closing && byte !== semicolon && byte !== lineFeed && ++at < chunk.length) {
        byte = chunk[at];
      }
      if (byte === quote) this.#inString = true;
      else if (byte === closing) rows++;
      else break;
    }
    this.#rows += rows;
    if (at === chunk.length) return -1;
    if (chunk[at] === semicolon) return at + 1;
    this.#onLines = true;
    return at;
  }

  /** The index of the string's last byte within the chunk. */
  #skipString(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#escaped) at++;
    this.#escaped = false;
    for (; at < chunk.length; at++) {
      let byte = chunk[at];
      while (byte !== quote && byte !== backslash && ++at < chunk.length) byte = chunk[at];
      if (at >= chunk.length) break;
      if (byte === quote) {
        this.#inString = false;
        return at;
      }
      at++;
      this.#escaped = at === chunk.length;
    }
    return chunk.length - 1;
  }
}
