/** What psql reads over on its way to the next statement, each from behind its opening. Source: psqlscan.l. */
import { backslash, dollar, doubleQuote, letterE, lineFeed, quote, slash, star } from '../ascii.ts';

export interface Passage {
  /** The index behind its end, or -1 when it goes on behind this chunk. */
  pass(chunk: Buffer, start: number): number;
  /** What counts as the byte before whatever follows. */
  readonly last: number;
}

/** A string without escapes: two quotes close one and open the next. */
export const plainString: Passage = { last: 0, pass: (chunk, start) => behind(chunk, quote, start) };

/** A quoted one; likewise. */
export const identifier: Passage = { last: 0, pass: (chunk, start) => behind(chunk, doubleQuote, start) };

/** `E'it\'s'`. */
export class EscapeString implements Passage {
  /** A second quote goes on with the same string, escapes and all. */
  readonly last = letterE;
  #escaped = false;

  pass(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#escaped) this.#escaped = false;
      else if (byte === quote) return at + 1;
      else this.#escaped = byte === backslash;
    }
    return -1;
  }
}

/** `$tag$ … $tag$`; or what only looked like a tag and ends at once. */
export class DollarQuote implements Passage {
  last = 0;
  #tag = '$';
  #isOpen = false;
  #matched = 0;

  pass(chunk: Buffer, start: number): number {
    const begin = this.#isOpen ? start : this.#readTag(chunk, start);
    return begin === -1 || !this.#isOpen ? begin : this.#readText(chunk, begin);
  }

  #readTag(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte !== dollar && (!isWord(byte) || (this.#tag === '$' && isDigit(byte)))) {
        this.last = dollar;
        return at;
      }
      this.#tag += String.fromCharCode(byte);
      if (byte !== dollar) continue;
      this.#isOpen = true;
      return at + 1;
    }
    return -1;
  }

  #readText(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      if (this.#matched === 0) {
        at = chunk.indexOf(dollar, at);
        if (at === -1) return -1;
      }
      const byte = chunk[at] ?? 0;
      // A tag holds `$` only at its ends: after a mismatch nothing but this byte can begin one.
      this.#matched = byte === this.#tag.charCodeAt(this.#matched) ? this.#matched + 1 : byte === dollar ? 1 : 0;
      if (this.#matched === this.#tag.length) return at + 1;
    }
    return -1;
  }
}

/** A block comment; they nest. */
export class BlockComment implements Passage {
  readonly last = 0;
  #depth = 1;
  #previous = 0;

  pass(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      const before = this.#previous;
      this.#previous = byte;
      if (before === slash && byte === star) this.#depth++;
      else if (before === star && byte === slash) this.#depth--;
      else continue;
      this.#previous = 0;
      if (this.#depth === 0) return at + 1;
    }
    return -1;
  }
}

/** A line comment or a command, whose beginning is kept; with its line end. */
export class Line implements Passage {
  readonly last = 0;
  readonly #limit: number;
  #text = '';

  constructor(limit: number) {
    this.#limit = limit;
  }

  get text(): string {
    return this.#text;
  }

  pass(chunk: Buffer, start: number): number {
    const end = behind(chunk, lineFeed, start);
    const room = this.#limit - this.#text.length;
    const until = end === -1 ? chunk.length : end;
    if (room > 0) this.#text += chunk.toString('latin1', start, Math.min(until, start + room));
    return end;
  }
}

function behind(chunk: Buffer, byte: number, start: number): number {
  const found = chunk.indexOf(byte, start);
  return found === -1 ? -1 : found + 1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Of an identifier. */
export function isWord(byte: number): boolean {
  return (
    isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f || byte > 0x7f
  );
}
