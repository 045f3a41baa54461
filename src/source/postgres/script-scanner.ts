/**
 * Reads pg_dump's SQL script as its bytes pass, the way psql takes it apart: quotes, dollar quotes, comments, commands,
 * and the data of each COPY, whose rows it counts.
 * Guarantees: `finish` throws unless the script's own trailer was its last word, so that no text inside the data, a
 * function or a string can stand for it. Memory stays flat.
 * Source: pg_dump.c and pg_backup_archiver.c (RestoreArchive) for the trailer, psqlscan.l for the lexical rules.
 */
import { DbBackupError } from '../../errors.ts';
import { backslash, dash, dollar, doubleQuote, letterE, quote, semicolon, slash, star } from '../ascii.ts';
import { copiedTable } from './copied-table.ts';
import { CopyRows } from './copy-rows.ts';
import {
  BlockComment,
  DollarQuote,
  EscapeString,
  identifier,
  isWord,
  Line,
  type Passage,
  plainString,
} from './passage.ts';

/** The last words of pg_dump and of pg_dumpall. */
export const databaseTrailer = ' PostgreSQL database dump complete\n';
export const clusterTrailer = ' PostgreSQL database cluster dump complete\n';
/** From 15.14, 16.10 and 17.6 on a script is fenced by `\restrict key` … `\unrestrict key`, after the trailer. */
const fence = /^(un)?restrict /;
/** Longest COPY statement that is recognised: 1,600 columns of 63 letters, quoted. */
const textLimit = 512 * 1024;
const noteLimit = 256;

/** 1 for the bytes that may end a stretch of plain SQL. */
const special = new Uint8Array(256);
for (const byte of [quote, doubleQuote, dollar, dash, star, semicolon, backslash]) special[byte] = 1;

export interface ScriptEvents {
  /** A statement (of a long one the beginning) ends before `end`, an index of the chunk that is being pushed. */
  readonly statement?: (text: string, end: number) => void;
  /** A backslash command other than the fence. */
  readonly command?: (text: string) => void;
  /** The same of the fence's two lines, which end before `end`. */
  readonly fence?: (text: string, end: number) => void;
}

export class ScriptScanner {
  readonly #events: ScriptEvents;
  readonly #trailer: string;
  readonly #tables = new Map<string, number>();
  #bytes = 0;
  #ending = '';
  /** What is being read over, and what to do at its end; undefined within plain SQL. */
  #passage: Passage | undefined;
  #then: ((end: number) => void) | undefined;
  #previous = 0;
  /** The beginning of the statement that is being read; of a COPY all of it. */
  #text = '';
  #standardStrings = true;
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
    for (let at = 0; at < chunk.length; ) {
      at = this.#passage === undefined ? this.#sql(chunk, at) : this.#pass(this.#passage, chunk, at);
    }
  }

  finish(): void {
    if (this.#bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'the dump is empty: not one byte came');
    // Trailer and fence both end with an empty line.
    if (this.#complete && !this.#fenced && this.#passage === undefined && this.#ending === '\n\n') return;
    const place = this.#passage instanceof CopyRows ? `inside the data of ${this.#table}` : 'before its last line';
    throw new DbBackupError('DUMP_INCOMPLETE', `the dump is not a whole script: it ends ${place}`, {
      hint: 'The dump was cut off or damaged: make a new one, or use another copy of this backup.',
    });
  }

  /** Rows by table; only those that were dumped as COPY. */
  tables(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#tables);
  }

  #enter(passage: Passage, then?: (end: number) => void): void {
    this.#passage = passage;
    this.#then = then;
    this.#previous = 0;
  }

  #pass(passage: Passage, chunk: Buffer, at: number): number {
    const found = passage.pass(chunk, at);
    const end = found === -1 ? chunk.length : found;
    if (passage instanceof CopyRows) this.#tables.set(this.#table, (this.#tables.get(this.#table) ?? 0) + passage.rows);
    // Within a COPY a name is part of what is read.
    if (passage === identifier) this.#keep(chunk, at, end);
    if (found === -1) return end;
    this.#passage = undefined;
    this.#previous = passage.last;
    this.#then?.(end);
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const room = this.#text.startsWith('COPY ') ? textLimit : noteLimit;
    if (this.#text.length < room) this.#text += chunk.toString('latin1', start, Math.min(end, start + textLimit));
  }

  /** Up to the next byte that ends plain SQL. */
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
      case quote: {
        this.#add(chunk, from, at + 1);
        const escapes = !this.#standardStrings || (isE(previous) && !isWord(chunk[at - 2] ?? 0));
        this.#enter(escapes ? new EscapeString() : plainString);
        return true;
      }
      case doubleQuote:
        this.#add(chunk, from, at + 1);
        this.#enter(identifier);
        return true;
      case dollar:
        if (isWord(previous)) return false;
        this.#add(chunk, from, at + 1);
        this.#enter(new DollarQuote());
        return true;
      case backslash: {
        this.#add(chunk, from, at);
        const command = new Line(noteLimit);
        this.#enter(command, (end) => this.#endCommand(command.text, end));
        return true;
      }
      default:
        return this.#comment(chunk, from, at, byte, previous);
    }
  }

  #comment(chunk: Buffer, from: number, at: number, byte: number, previous: number): boolean {
    const isLine = byte === dash && previous === dash;
    if (!isLine && !(byte === star && previous === slash)) return false;
    this.#add(chunk, from, at - 1);
    const line = new Line(noteLimit);
    if (isLine) this.#enter(line, () => this.#endComment(line.text));
    else this.#enter(new BlockComment());
    return true;
  }

  #endComment(text: string): void {
    if (this.#text === '' && text === this.#trailer) this.#complete = true;
  }

  #endCommand(line: string, end: number): void {
    const text = `\\${line.trimEnd()}`;
    const restrict = fence.exec(line);
    if (restrict === null) this.#events.command?.(text);
    else {
      this.#fenced = restrict[1] === undefined;
      // Without the line's own end.
      this.#events.fence?.(text, end - 1);
    }
  }

  #endStatement(at: number): void {
    const text = this.#text.trimEnd();
    this.#text = '';
    this.#complete = false;
    this.#previous = 0;
    this.#events.statement?.(text, at);
    if (text.startsWith('SET standard_conforming_strings')) this.#standardStrings = !text.endsWith('off');
    const table = copiedTable(text);
    if (table === undefined) return;
    this.#table = table;
    this.#enter(new CopyRows());
  }
}

function isE(byte: number): boolean {
  return byte === letterE || byte === 0x65;
}
