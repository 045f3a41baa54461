/**
 * Takes a script apart into statements, up to the rows of an INSERT: quotes, comments, `DELIMITER`, and the tools'
 * trailer. Gathers one statement at a time.
 */
import { DbBackupError } from '../../errors.ts';
import { backtick, dash, doubleQuote, hash, letterV, lineFeed, quote, slash } from '../ascii.ts';
import { countNewlines } from '../count-newlines.ts';
import { commentAt, endOfQuoted } from './lexical.ts';
import { insertedTable } from './named-table.ts';

/** One statement with the blanks and comments before it, up to its delimiter; of an INSERT only up to `VALUES`. */
export interface Piece {
  readonly text: Buffer;
  /** Index in `text` of the statement itself. */
  readonly begin: number;
  /** Line of the script on which the statement begins, from 1. */
  readonly line: number;
}

const trailer = '-- Dump completed';
const values = 'VALUES';
/** Longest statement other than INSERT: the server's own limit for any statement is 1 GiB, routines are far below. */
const longestStatement = 64 * 1024 * 1024;

/** 1 for the bytes that may end a stretch of plain SQL; the delimiter's first one comes to them. */
const special = new Uint8Array(256);
for (const byte of [quote, doubleQuote, backtick, dash, hash, slash, letterV]) special[byte] = 1;

type Mode = 'sql' | 'quoted' | 'line' | 'block' | 'rows';

export class StatementReader {
  readonly #take: (piece: Piece) => void;
  #mode: Mode = 'sql';
  /** What has come since the last piece, and how far it has been read. */
  #text: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Where the statement begins in `#text`; -1 before that. */
  #begin = -1;
  /** Of the text's first byte. */
  #line = 1;
  #quote = 0;
  #comment = 0;
  #delimiter = ';';
  #table = '';
  #complete = false;

  constructor(take: (piece: Piece) => void) {
    this.#take = take;
  }

  /** Of the INSERT that came last. */
  get table(): string {
    return this.#table;
  }

  /** The trailer was the last word. */
  get isComplete(): boolean {
    return this.#complete && this.#mode === 'sql' && this.#begin === -1 && this.#at === this.#text.length;
  }

  /** Returns what follows the `VALUES` of an INSERT; undefined when all was read without coming to one. */
  read(chunk: Buffer): Buffer | undefined {
    this.#text = this.#text.length > 0 ? Buffer.concat([this.#text, chunk]) : chunk;
    while (this.#at < this.#text.length) {
      const [before, cut] = [this.#at, this.#text];
      this.#step();
      if (this.#mode === 'rows') return this.#takeRest();
      // It waits for the bytes behind these.
      if (this.#at === before && cut === this.#text) break;
    }
    if (this.#text.length > longestStatement) {
      throw new DbBackupError('LIMIT_EXCEEDED', `a statement of the script is longer than ${longestStatement} bytes`);
    }
    return undefined;
  }

  /** So many line ends have passed elsewhere. */
  passLines(count: number): void {
    this.#line += count;
  }

  /** Hands over what stands behind the last statement. */
  finish(): void {
    this.#emit(this.#text.length);
  }

  #takeRest(): Buffer {
    const rest = this.#text;
    this.#text = Buffer.alloc(0);
    this.#mode = 'sql';
    return rest;
  }

  #step(): void {
    switch (this.#mode) {
      case 'quoted':
        this.#readQuoted();
        break;
      case 'line':
        this.#readLine();
        break;
      case 'block':
        this.#readBlock();
        break;
      default:
        this.#readSql();
    }
  }

  #readQuoted(): void {
    const end = endOfQuoted(this.#text, this.#at, this.#quote);
    this.#at = end < 0 ? -1 - end : end;
    if (end >= 0) this.#mode = 'sql';
  }

  #readLine(): void {
    const end = this.#text.indexOf(lineFeed, this.#at);
    // Whole lines are looked at, to their line end.
    this.#at = end === -1 ? this.#text.length : end + 1;
    if (end === -1) return;
    this.#mode = 'sql';
    if (this.#begin !== -1) return;
    const text = this.#text.toString('latin1', this.#comment, Math.min(end, this.#comment + trailer.length));
    if (text === trailer && this.#delimiter === ';') this.#complete = true;
  }

  #readBlock(): void {
    const end = this.#text.indexOf('*/', this.#at);
    this.#at = end === -1 ? Math.max(this.#at, this.#text.length - 1) : end + 2;
    if (end !== -1) this.#mode = 'sql';
  }

  #readSql(): void {
    const text = this.#text;
    for (let at = this.#at; at < text.length; at++) {
      this.#at = at;
      const byte = text[at] ?? 0;
      if (byte <= 0x20) {
        if (byte === lineFeed && this.#isDelimiterCommand(at)) return;
        continue;
      }
      if (special[byte] === 1 || byte === this.#delimiter.charCodeAt(0)) {
        if (this.#readSpecial(at, byte)) return;
      }
      this.#started(at);
    }
    this.#at = text.length;
  }

  /** True when something other than plain SQL begins here, or when more bytes are needed to tell. */
  #readSpecial(at: number, byte: number): boolean {
    if (byte === quote || byte === doubleQuote || byte === backtick) {
      this.#started(at);
      this.#quote = byte;
      this.#mode = 'quoted';
      this.#at = at + 1;
      return true;
    }
    if (byte === dash || byte === hash || byte === slash) return this.#startComment(at);
    if (byte === letterV) return this.#mayBeRows(at) || this.#startRows(at);
    return this.#endStatement(at);
  }

  #started(at: number): void {
    if (this.#begin !== -1) return;
    this.#begin = at;
    this.#complete = false;
  }

  #startComment(at: number): boolean {
    const kind = commentAt(this.#text, at);
    if (kind === undefined || kind === 'none') return kind === undefined;
    this.#mode = kind;
    this.#comment = at;
    // `-- ` may be `--\n`.
    this.#at = kind === 'line' ? at + 1 : at + 2;
    return true;
  }

  /** The client reads `DELIMITER` as a line, not as a statement. */
  #isDelimiterLine(): boolean {
    return this.#begin !== -1 && /^delimiter\s/i.test(this.#text.toString('latin1', this.#begin, this.#begin + 10));
  }

  #isDelimiterCommand(lineEnd: number): boolean {
    if (!this.#isDelimiterLine()) return false;
    this.#delimiter = this.#text.toString('latin1', this.#begin, lineEnd).split(/\s+/)[1] || ';';
    this.#cut(lineEnd + 1);
    return true;
  }

  #mayBeRows(at: number): boolean {
    return this.#begin !== -1 && this.#text.length - at <= values.length;
  }

  #startRows(at: number): boolean {
    if (this.#begin === -1 || this.#delimiter !== ';') return false;
    if (!/^VALUES[\s(]$/.test(this.#text.toString('latin1', at, at + values.length + 1))) return false;
    const table = insertedTable(this.#text.toString('utf8', this.#begin, at));
    if (table === undefined) return false;
    this.#table = table;
    this.#cut(at + values.length);
    this.#mode = 'rows';
    return true;
  }

  #endStatement(at: number): boolean {
    if (this.#isDelimiterLine()) return false;
    const end = at + this.#delimiter.length;
    if (end > this.#text.length) return true;
    if (this.#text.toString('latin1', at, end) !== this.#delimiter) return false;
    this.#cut(end);
    return true;
  }

  /** Hands over what is before `end` and goes on behind it. */
  #cut(end: number): void {
    this.#emit(end);
    this.#text = this.#text.subarray(end);
    this.#at = 0;
    this.#begin = -1;
  }

  #emit(end: number): void {
    const text = this.#text.subarray(0, end);
    const begin = this.#begin === -1 ? end : this.#begin;
    const line = this.#line + countNewlines(text, 0, begin);
    this.#line = line + countNewlines(text, begin, end);
    if (end > 0) this.#take({ text, begin, line });
  }
}
