/**
 * Reads pg_dump's SQL script as its bytes pass, the way psql takes it apart: quotes, dollar quotes, comments, commands,
 * and the data of each COPY, whose rows it counts.
 * Guarantees: `finish` throws unless the script's own trailer was its last word, so that no text inside the data, a
 * function or a string can stand for it. Memory stays flat.
 * Source: pg_dump.c and pg_backup_archiver.c (RestoreArchive) for the trailer, psqlscan.l for the lexical rules.
 */
import { DbBackupError } from '../../errors.ts';
import { countNewlines } from '../count-newlines.ts';

/** The last words of pg_dump and of pg_dumpall. */
export const databaseTrailer = ' PostgreSQL database dump complete\n';
export const clusterTrailer = ' PostgreSQL database cluster dump complete\n';
/** From 15.14, 16.10 and 17.6 on a script is fenced by `\restrict key` … `\unrestrict key`, after the trailer. */
const fence = /^(un)?restrict /;
const copyStatement = /^COPY (?:((?:"(?:[^"]|"")*"|[^".\s(])+)\.)?((?:"(?:[^"]|"")*"|[^".\s(])+)[\s\S]* FROM stdin$/;
/** Longest COPY statement that is recognised: 1,600 columns of 63 letters, quoted. */
const textLimit = 512 * 1024;
const noteLimit = 256;
const copyEnd = Buffer.from('\n\\.\n');

const lineFeed = 0x0a;
const quote = 0x27;
const doubleQuote = 0x22;
const dollar = 0x24;
const dash = 0x2d;
const slash = 0x2f;
const star = 0x2a;
const semicolon = 0x3b;
const backslash = 0x5c;
const letterE = 0x45;

/** 1 for the bytes that may end a stretch of plain SQL. */
const special = new Uint8Array(256);
for (const byte of [quote, doubleQuote, dollar, dash, star, semicolon, backslash]) special[byte] = 1;

type Mode = 'sql' | 'string' | 'identifier' | 'tag' | 'dollar' | 'line' | 'block' | 'command' | 'copyLine' | 'copy';

export interface ScriptEvents {
  /** A COMMIT of the script's own ends before `end`, an index of the chunk that is being pushed. */
  readonly commit?: (end: number) => void;
  /** A backslash command other than the fence. */
  readonly command?: (text: string) => void;
}

export class ScriptScanner {
  readonly #events: ScriptEvents;
  readonly #trailer: string;
  readonly #tables = new Map<string, number>();
  #bytes = 0;
  #ending = '';
  #mode: Mode = 'sql';
  #previous = 0;
  /** The beginning of the statement that is being read; of a COPY all of it. */
  #text = '';
  /** The line comment or command that is being read. */
  #note = '';
  #escapes = false;
  #standardStrings = true;
  #tag = '';
  #matched = 0;
  #depth = 0;
  #table = '';
  #complete = false;
  #fenced = false;

  constructor(events: ScriptEvents = {}, trailer = databaseTrailer) {
    this.#events = events;
    this.#trailer = trailer;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#ending = (this.#ending + chunk.toString('latin1', Math.max(0, chunk.length - 2))).slice(-2);
    for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at);
  }

  finish(): void {
    if (this.#bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'the dump is empty: not one byte came');
    // Trailer and fence both end with an empty line.
    if (this.#complete && !this.#fenced && this.#mode === 'sql' && this.#ending === '\n\n') return;
    const place = this.#mode === 'copy' ? `inside the data of ${this.#table}` : 'before its last line';
    throw new DbBackupError('DUMP_INCOMPLETE', `the dump is not a whole script: it ends ${place}`, {
      hint: 'The dump was cut off or damaged: make a new one, or use another copy of this backup.',
    });
  }

  /** Rows by table; only those that were dumped as COPY. */
  tables(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#tables);
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#mode) {
      case 'sql':
        return this.#sql(chunk, at);
      case 'string':
        return this.#string(chunk, at);
      case 'identifier':
        return this.#identifier(chunk, at);
      case 'tag':
        return this.#readTag(chunk, at);
      case 'dollar':
        return this.#dollar(chunk, at);
      case 'line':
        return this.#line(chunk, at, () => this.#endComment());
      case 'command':
        return this.#line(chunk, at, () => this.#endCommand());
      case 'block':
        return this.#block(chunk, at);
      case 'copyLine':
        return this.#until(chunk, at, lineFeed, () => this.#startCopy());
      case 'copy':
        return this.#copy(chunk, at);
    }
  }

  #enter(mode: Mode): void {
    this.#mode = mode;
    this.#previous = 0;
  }

  /** Goes on to behind the byte `stop`; then `next`. */
  #until(chunk: Buffer, at: number, stop: number, next: () => void): number {
    const found = chunk.indexOf(stop, at);
    if (found === -1) return chunk.length;
    next();
    return found + 1;
  }

  /** The same, keeping the line. */
  #line(chunk: Buffer, at: number, next: () => void): number {
    const end = this.#until(chunk, at, lineFeed, () => {});
    if (this.#note.length < noteLimit) this.#note += chunk.toString('latin1', at, Math.min(end, at + noteLimit));
    if (chunk[end - 1] === lineFeed) {
      next();
      this.#note = '';
      this.#enter('sql');
    }
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const room = this.#text.startsWith('COPY ') ? textLimit : noteLimit;
    if (this.#text.length < room) this.#text += chunk.toString('latin1', start, Math.min(end, start + textLimit));
  }

  /** Up to the next byte that changes the mode. */
  #sql(chunk: Buffer, start: number): number {
    let previous = this.#previous;
    let from = start;
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte <= 0x20) {
        if (this.#text === '' && from === at) from = at + 1;
      } else if (special[byte] === 1 && this.#turn(chunk, from, at, byte, previous)) {
        return at + 1;
      }
      previous = byte;
    }
    this.#previous = previous;
    // Half of `--` or of a comment's opening may stand at the end.
    const half = previous === dash || previous === slash ? 1 : 0;
    this.#add(chunk, from, chunk.length - half);
    return chunk.length;
  }

  #add(chunk: Buffer, from: number, end: number): void {
    if (end <= from) return;
    this.#complete = false;
    this.#keep(chunk, from, end);
  }

  /** True when `byte` ends this stretch of plain SQL; the stretch is `from` … `at`. */
  #turn(chunk: Buffer, from: number, at: number, byte: number, previous: number): boolean {
    switch (byte) {
      case semicolon:
        this.#add(chunk, from, at);
        this.#endStatement(at);
        return true;
      case quote:
        this.#add(chunk, from, at + 1);
        this.#escapes = !this.#standardStrings || (isE(previous) && !isWord(chunk[at - 2] ?? 0));
        this.#enter('string');
        return true;
      case doubleQuote:
        this.#add(chunk, from, at + 1);
        this.#enter('identifier');
        return true;
      case dollar:
        if (isWord(previous)) return false;
        this.#add(chunk, from, at + 1);
        this.#tag = '$';
        this.#enter('tag');
        return true;
      case backslash:
        this.#add(chunk, from, at);
        this.#enter('command');
        return true;
      default:
        return this.#comment(chunk, from, at, byte, previous);
    }
  }

  #comment(chunk: Buffer, from: number, at: number, byte: number, previous: number): boolean {
    const line = byte === dash && previous === dash;
    if (!line && !(byte === star && previous === slash)) return false;
    this.#add(chunk, from, at - 1);
    this.#depth = 1;
    this.#enter(line ? 'line' : 'block');
    return true;
  }

  #endComment(): void {
    if (this.#text === '' && this.#note === this.#trailer) this.#complete = true;
  }

  #endCommand(): void {
    const restrict = fence.exec(this.#note);
    if (restrict) this.#fenced = restrict[1] === undefined;
    else this.#events.command?.(`\\${this.#note.trimEnd()}`);
  }

  #endStatement(at: number): void {
    const text = this.#text.trimEnd();
    this.#text = '';
    this.#complete = false;
    this.#enter('sql');
    if (text === 'COMMIT') this.#events.commit?.(at);
    if (text.startsWith('SET standard_conforming_strings')) this.#standardStrings = !text.endsWith('off');
    const copy = text.startsWith('COPY ') ? copyStatement.exec(text) : null;
    if (copy === null) return;
    this.#table = [copy[1], copy[2]]
      .filter((part) => part !== undefined)
      .map(unquote)
      .join('.');
    this.#enter('copyLine');
  }

  #identifier(chunk: Buffer, start: number): number {
    const end = this.#until(chunk, start, doubleQuote, () => this.#enter('sql'));
    this.#keep(chunk, start, end);
    return end;
  }

  #string(chunk: Buffer, start: number): number {
    if (!this.#escapes) return this.#until(chunk, start, quote, () => this.#enter('sql'));
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#previous === backslash) {
        this.#previous = 0;
        continue;
      }
      if (byte === quote) {
        this.#enter('sql');
        // A second quote goes on with the same string, escapes and all.
        this.#previous = letterE;
        return at + 1;
      }
      this.#previous = byte;
    }
    return chunk.length;
  }

  #readTag(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === dollar) {
        this.#tag += '$';
        this.#matched = 0;
        this.#enter('dollar');
        return at + 1;
      }
      if (!isWord(byte) || (this.#tag === '$' && isDigit(byte))) {
        this.#enter('sql');
        this.#previous = dollar;
        return at;
      }
      this.#tag += String.fromCharCode(byte);
    }
    return chunk.length;
  }

  #dollar(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      if (this.#matched === 0) {
        at = chunk.indexOf(dollar, at);
        if (at === -1) return chunk.length;
      }
      const byte = chunk[at] ?? 0;
      // A tag holds `$` only at its ends: after a mismatch nothing but this byte can begin one.
      this.#matched = byte === this.#tag.charCodeAt(this.#matched) ? this.#matched + 1 : byte === dollar ? 1 : 0;
      if (this.#matched === this.#tag.length) {
        this.#enter('sql');
        return at + 1;
      }
    }
    return chunk.length;
  }

  #block(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      const before = this.#previous;
      this.#previous = byte;
      if (before === slash && byte === star) this.#depth++;
      else if (before === star && byte === slash) this.#depth--;
      else continue;
      this.#previous = 0;
      if (this.#depth === 0) {
        this.#enter('sql');
        return at + 1;
      }
    }
    return chunk.length;
  }

  #startCopy(): void {
    this.#text = '';
    this.#tables.set(this.#table, 0);
    // The end mark is a line of its own, and a line begins here.
    this.#matched = 1;
    this.#mode = 'copy';
  }

  #copy(chunk: Buffer, start: number): number {
    let at = start;
    // What may be the end mark and began in the chunk before.
    while (this.#matched > 0 && at < chunk.length) {
      const byte = chunk[at] ?? 0;
      if (byte === copyEnd[this.#matched]) {
        at++;
        if (++this.#matched === copyEnd.length) return this.#endCopy(at);
      } else {
        this.#matched = 0;
      }
    }
    if (at === chunk.length) return at;
    const found = chunk.indexOf(copyEnd, at);
    if (found !== -1) {
      this.#count(countNewlines(chunk, at, found + 1));
      return this.#endCopy(found + copyEnd.length);
    }
    this.#count(countNewlines(chunk, at, chunk.length));
    for (let length = 1; length < copyEnd.length; length++) {
      if (chunk.subarray(Math.max(at, chunk.length - length)).equals(copyEnd.subarray(0, length)))
        this.#matched = length;
    }
    return chunk.length;
  }

  #count(rows: number): void {
    this.#tables.set(this.#table, (this.#tables.get(this.#table) ?? 0) + rows);
  }

  #endCopy(at: number): number {
    this.#matched = 0;
    this.#enter('sql');
    return at;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isE(byte: number): boolean {
  return byte === letterE || byte === 0x65;
}

function isWord(byte: number): boolean {
  return (
    isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f || byte > 0x7f
  );
}

/** The name as the catalogue has it. */
function unquote(identifier: string): string {
  const name = identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
  return Buffer.from(name, 'latin1').toString('utf8');
}
