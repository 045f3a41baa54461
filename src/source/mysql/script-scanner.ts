/**
 * Reads the script of mysqldump or mariadb-dump as its bytes pass, the way the client takes it apart: quotes, comments,
 * `DELIMITER`, and the rows of each INSERT, which it counts.
 * Guarantees: `finish` throws unless the script's own trailer was its last word, so that no text inside the data, a
 * routine or a string can stand for it. Memory stays flat whatever the length of a row: only statements other than
 * INSERT are gathered.
 * Source: client/mysqldump.c and client/mysql.cc (add_line) of MariaDB and MySQL.
 */
import { DbBackupError } from '../../errors.ts';
import { countNewlines } from '../count-newlines.ts';

/** One statement with the blanks and comments before it, up to its delimiter; of an INSERT only up to `VALUES`. */
export interface Piece {
  readonly text: Buffer;
  /** Index in `text` of the statement itself. */
  readonly begin: number;
  /** Line of the script on which the statement begins, from 1. */
  readonly line: number;
}

export interface ScriptEvents {
  readonly piece?: (piece: Piece) => void;
  /** Bytes of the rows of the INSERT that came last, its semicolon included. */
  readonly rows?: (bytes: Buffer) => void;
}

const trailer = '-- Dump completed';
/** Longest statement other than INSERT: the server's own limit for any statement is 1 GiB, routines are far below. */
const longestStatement = 64 * 1024 * 1024;
const lineFeed = 0x0a;
const quote = 0x27;
const doubleQuote = 0x22;
const backtick = 0x60;
const backslash = 0x5c;
const dash = 0x2d;
const hash = 0x23;
const slash = 0x2f;
const star = 0x2a;
const exclamation = 0x21;
const semicolon = 0x3b;
const closing = 0x29;
const letterM = 0x4d;
const letterV = 0x56;

/** 1 for the bytes that may end a stretch of plain SQL; the delimiter's first one comes to them. */
const special = new Uint8Array(256);
for (const byte of [quote, doubleQuote, backtick, dash, hash, slash, letterV]) special[byte] = 1;

type Mode = 'sql' | 'quoted' | 'line' | 'block' | 'lines of rows' | 'rows';

const sandbox = '/*M!999999\\-';
const values = 'VALUES';

export class ScriptScanner {
  readonly #events: ScriptEvents;
  readonly #tables = new Map<string, number | null>();
  #bytes = 0;
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
  #previous = 0;
  #escaped = false;
  #inString = false;
  #complete = false;

  constructor(events: ScriptEvents = {}) {
    this.#events = events;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#mode === 'rows' || this.#mode === 'lines of rows' ? this.#readRows(rest) : this.#readText(rest);
    }
  }

  finish(): void {
    if (this.#bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'the dump is empty: not one byte came');
    const ended = this.#mode === 'sql' && this.#begin === -1 && this.#at === this.#text.length;
    if (!this.#complete || !ended) throw this.#incomplete();
    this.#emit(this.#text.length);
  }

  /** Rows by table; null for tables that are defined and have no data section. */
  tables(): Readonly<Record<string, number | null>> {
    return Object.fromEntries(this.#tables);
  }

  #incomplete(): DbBackupError {
    const inRows = this.#mode === 'rows' || this.#mode === 'lines of rows';
    const place = inRows ? `inside the rows of ${this.#table}` : 'before its last line ("-- Dump completed")';
    return new DbBackupError('DUMP_INCOMPLETE', `the dump is not a whole script: it ends ${place}`, {
      hint: 'The dump was cut off or damaged: make a new one, or use another copy of this backup.',
    });
  }

  /** Returns what follows the beginning of an INSERT's rows; otherwise nothing. */
  #readText(chunk: Buffer): Buffer {
    this.#text = this.#text.length > 0 ? Buffer.concat([this.#text, chunk]) : chunk;
    while (this.#at < this.#text.length) {
      const before = this.#at;
      const cut = this.#text;
      this.#step();
      if (this.#mode === 'rows') return this.#takeRest();
      // It waits for the bytes behind these.
      if (this.#at === before && cut === this.#text) break;
    }
    if (this.#text.length > longestStatement) {
      throw new DbBackupError('LIMIT_EXCEEDED', `a statement of the script is longer than ${longestStatement} bytes`);
    }
    return Buffer.alloc(0);
  }

  #takeRest(): Buffer {
    const rest = this.#text;
    this.#text = Buffer.alloc(0);
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
    const text = this.#text;
    for (let at = this.#at; at < text.length; at++) {
      const byte = text[at];
      if (byte === this.#quote) {
        // A doubled quote closes one string and opens the next: the same to us.
        this.#mode = 'sql';
        this.#at = at + 1;
        return;
      }
      if (byte === backslash && this.#quote !== backtick) {
        if (at + 1 === text.length) {
          this.#at = at;
          return;
        }
        at++;
      }
      this.#at = at + 1;
    }
  }

  #readLine(): void {
    const end = this.#text.indexOf(lineFeed, this.#at);
    if (end === -1) {
      // Whole lines are looked at, to their line end.
      this.#at = this.#text.length;
      return;
    }
    this.#at = end + 1;
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
    if (byte === dash || byte === hash || byte === slash) return this.#mayBeComment(at) || this.#startComment(at);
    if (byte === letterV) return this.#mayBeRows(at) || this.#startRows(at);
    return this.#endStatement(at);
  }

  #started(at: number): void {
    if (this.#begin !== -1) return;
    this.#begin = at;
    this.#complete = false;
  }

  /** Too few bytes have come to tell a comment from an operator. */
  #mayBeComment(at: number): boolean {
    if (this.#text.length - at >= sandbox.length) return false;
    const few = this.#text.toString('latin1', at);
    if (sandbox.startsWith(few)) return true;
    return few === '-' || few === '--' || few === '/';
  }

  #startComment(at: number): boolean {
    const text = this.#text;
    const [byte, next, third] = [text[at], text[at + 1], text[at + 2] ?? 0];
    const isSandbox = byte === slash && text.toString('latin1', at, at + sandbox.length) === sandbox;
    if (byte === hash || isSandbox || (byte === dash && next === dash && third <= 0x20)) {
      this.#mode = 'line';
    } else if (byte === slash && next === star && third !== exclamation && third !== letterM) {
      this.#mode = 'block';
    } else {
      return false;
    }
    this.#comment = at;
    // `-- ` may be `--\n`.
    this.#at = this.#mode === 'line' ? at + 1 : at + 2;
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
    const text = this.#text;
    if (!/^VALUES[\s(]$/.test(text.toString('latin1', at, at + values.length + 1))) return false;
    const table = insertedTable(text.toString('utf8', this.#begin, at));
    if (table === undefined) return false;
    this.#table = table;
    this.#tables.set(table, this.#tables.get(table) ?? 0);
    this.#cut(at + values.length);
    this.#mode = 'rows';
    this.#escaped = false;
    this.#inString = false;
    return true;
  }

  #endStatement(at: number): boolean {
    if (this.#isDelimiterLine()) return false;
    const end = at + this.#delimiter.length;
    if (end > this.#text.length) return true;
    if (this.#text.toString('latin1', at, end) !== this.#delimiter) return false;
    const head = this.#text.toString('utf8', this.#begin, Math.min(end, this.#begin + 600));
    const created = /^CREATE TABLE (?:IF NOT EXISTS )?(`(?:[^`]|``)*`)/.exec(head)?.[1];
    if (created !== undefined && !this.#tables.has(bare(created))) this.#tables.set(bare(created), null);
    const filled = /^LOCK TABLES (`(?:[^`]|``)*`) WRITE/.exec(head)?.[1];
    if (filled !== undefined) this.#tables.set(bare(filled), this.#tables.get(bare(filled)) ?? 0);
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
    if (end > 0) this.#events.piece?.({ text, begin, line });
  }

  /** Returns what follows the rows' end. */
  #readRows(chunk: Buffer): Buffer {
    let end = this.#mode === 'rows' ? this.#skipRows(chunk) : 0;
    if (this.#mode === 'lines of rows') end = this.#skipLines(chunk, end);
    const bytes = end === -1 ? chunk : chunk.subarray(0, end);
    if (bytes.length > 0) this.#events.rows?.(bytes);
    if (end === -1) return Buffer.alloc(0);
    this.#mode = 'sql';
    return chunk.subarray(end);
  }

  /**
   * mariadb-dump puts each row on a line of its own, and both programs escape line ends within values: what ends with
   * `;` is the last row. The index behind it, or -1.
   */
  #skipLines(chunk: Buffer, start: number): number {
    let [rows, end] = [0, -1];
    if (start === 0 && chunk[0] === lineFeed && this.#previous === semicolon) end = 0;
    for (let at = start; end === -1; at++) {
      at = chunk.indexOf(lineFeed, at);
      if (at === -1) break;
      if (at > start && chunk[at - 1] === semicolon) end = at;
      else rows++;
    }
    this.#count(rows);
    this.#line += rows;
    this.#previous = chunk[chunk.length - 1] ?? 0;
    return end;
  }

  /** mysqldump writes all rows into one line. Stops at their end, or at a line end, where there is one row a line. */
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
    this.#count(rows);
    if (at === chunk.length) return -1;
    if (chunk[at] === semicolon) return at + 1;
    this.#mode = 'lines of rows';
    this.#previous = 0;
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

  #count(rows: number): void {
    this.#tables.set(this.#table, (this.#tables.get(this.#table) ?? 0) + rows);
  }
}

function insertedTable(head: string): string | undefined {
  const name = /^(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+(?:`(?:[^`]|``)*`\.)?(`(?:[^`]|``)*`|[^\s`(]+)/.exec(head);
  return name?.[1] === undefined ? undefined : bare(name[1]);
}

function bare(identifier: string): string {
  return identifier.startsWith('`') ? identifier.slice(1, -1).replaceAll('``', '`') : identifier;
}
