/**
 * Walks pg_dump's custom format as its bytes pass: header, table of contents, then every block of data.
 * Guarantees: `finish` throws unless every entry with data has had its block, up to the block's own end mark; a cut
 * anywhere is noticed (`pg_restore -l` accepts half an archive). Rows are counted on the way, memory stays flat.
 * Refuses: bytes after the end, and archives it does not know (1.12 to 1.16, PostgreSQL 9.0 to 18).
 * Source: src/bin/pg_dump/pg_backup_archiver.c (ReadHead, ReadToc) and pg_backup_custom.c of PostgreSQL.
 */
import { DbBackupError } from '../../errors.ts';
import { countNewlines } from '../count-newlines.ts';
import { PullParser, type Step } from '../pull-parser.ts';

const newline = 0x0a;
const tableBlock = 1;
const largeObjectsBlock = 3;
/** pg_dump ends the text of a COPY with `\.` and two empty lines: no rows. */
const closingLines = 3;
/** pg_dump writes C ints; no platform has others. */
const intBytes = 4;
/** K_OFFSET_POS_SET. */
const offsetIsKnown = 2;
/** A sign byte goes before them. */
const lengthBytes = 1 + intBytes;
const textLimit = 16 * 1024 * 1024;

interface DataEntry {
  readonly name: string;
  readonly isTable: boolean;
  readonly isCopy: boolean;
  /** Where the table of contents tells the place of its block. */
  readonly pointerAt: number;
}

/** What pg_dump leaves open in the table of contents of an archive that it cannot rewind. */
export interface Pointer {
  /** Offset in the archive. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** Pieces of one table's rows that lie whole, one behind the other, in the chunk pushed last. */
export interface PieceRun {
  readonly start: number;
  readonly end: number;
}

/** A piece's length goes before it. */
export const pieceHeadBytes = lengthBytes;

interface Header {
  readonly minor: number;
  readonly offsetBytes: number;
  readonly compressed: boolean;
}

export class ArchiveWalker extends PullParser {
  readonly #tables = new Map<string, number | null>();
  /** Entries whose data has not come yet, by dump id. */
  readonly #awaited = new Map<number, DataEntry>();
  readonly #pointers: Pointer[] = [];
  readonly #joins: boolean;
  #runs: PieceRun[] = [];
  #saved = 0;
  #place = 'its header';

  /** `joins`: `joinPieces` is applied to every chunk, and `pointers` are those of what comes out. */
  constructor({ joins = false }: { readonly joins?: boolean } = {}) {
    super();
    this.#joins = joins;
  }

  override push(chunk: Buffer): void {
    this.#runs = [];
    super.push(chunk);
    if (this.parsed && this.position < chunk.length) throw damaged('holds bytes after its end');
  }

  /** The end of the stream: throws DUMP_EMPTY or DUMP_INCOMPLETE unless the archive is whole. */
  finish(): void {
    if (this.bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'the dump is empty: not one byte came');
    if (!this.parsed) throw damaged(`ends inside ${this.#place}`);
  }

  /** Rows by table; null where they cannot be counted (INSERTs, compressed by pg_dump itself). */
  tables(): Readonly<Record<string, number | null>> {
    return Object.fromEntries(this.#tables);
  }

  /** What may be joined in the chunk pushed last. */
  runs(): readonly PieceRun[] {
    return this.#runs;
  }

  /** Where the blocks lie, as the table of contents has it; once the end has been reached. */
  pointers(): readonly Pointer[] {
    return this.#pointers;
  }

  protected override *parse(): Step {
    const header = yield* this.#header();
    this.#place = 'its table of contents';
    for (let left = yield* this.#count(); left > 0; left--) yield* this.#entry(header);
    while (this.#awaited.size > 0) yield* this.#block(header);
  }

  *#header(): Step<Header> {
    const magic = yield* this.take(5);
    if (magic.toString('latin1') !== 'PGDMP') throw damaged('does not start as one (PGDMP)');
    const [major = 0, minor = 0, , integers, offsetBytes = 0, format] = yield* this.take(6);
    if (major !== 1 || minor < 12 || minor > 16 || integers !== intBytes || format !== 1) {
      throw new DbBackupError(
        'DUMP_INCOMPLETE',
        `the dump is no archive this dbbackup knows: version ${major}.${minor}, format ${format}`,
        {
          hint: 'Archives 1.12 to 1.16 of the custom format are read (PostgreSQL 9.0 to 18).',
        },
      );
    }
    const compression = minor >= 15 ? yield* this.byte() : yield* this.#int();
    yield* this.skip(7 * lengthBytes);
    yield* this.#skipTexts(3);
    return { minor, offsetBytes, compressed: compression !== 0 };
  }

  *#entry({ minor, offsetBytes }: Header): Step {
    const id = yield* this.#int();
    const hasData = (yield* this.#int()) !== 0;
    yield* this.#skipTexts(2);
    const tag = (yield* this.#text()) ?? '';
    const kind = yield* this.#text();
    yield* this.#int();
    yield* this.#skipTexts(2);
    const copy = yield* this.#text(hasData);
    const schema = yield* this.#text();
    yield* this.#skipTexts(minor >= 14 ? 2 : 1);
    if (minor >= 16) yield* this.#int();
    yield* this.#skipTexts(2);
    while ((yield* this.#text(false)) !== undefined);
    const pointerAt = this.offset;
    yield* this.skip(1 + offsetBytes);

    if (!hasData) return;
    if (this.#awaited.has(id)) throw damaged(`lists entry ${id} twice`);
    const name = schema ? `${schema}.${tag}` : tag;
    this.#awaited.set(id, { name, isTable: kind === 'TABLE DATA', isCopy: Boolean(copy), pointerAt });
  }

  *#block(header: Header): Step {
    this.#place = `the ${this.#awaited.size} blocks of data that are missing`;
    const { offset } = this;
    const type = yield* this.byte();
    const id = yield* this.#int();
    const entry = this.#awaited.get(id);
    if (entry === undefined) throw damaged(`holds data for entry ${id}, which is not awaited`);
    this.#place = `the data of ${entry.name}`;
    this.#pointers.push({ at: entry.pointerAt, bytes: pointer(offset - this.#saved, header.offsetBytes) });
    if (type === tableBlock) {
      const counted = entry.isCopy && !header.compressed;
      const rows = yield* this.#data(this.#joins && counted);
      if (entry.isTable) this.#tables.set(entry.name, counted ? rows - closingLines : null);
    } else if (type === largeObjectsBlock) {
      while ((yield* this.#int()) !== 0) yield* this.#data();
    } else {
      throw damaged(`holds a block of unknown type ${type}`);
    }
    this.#awaited.delete(id);
  }

  /** Lengths and bytes up to a length of 0. Returns the newlines: COPY's text escapes those that are not a row's end. */
  *#data(joins = false): Step<number> {
    let rows = 0;
    for (;;) {
      rows += this.#wholePieces(joins);
      let left = yield* this.#count();
      if (left === 0) return rows;
      while (left > 0) {
        if (this.position === this.chunk.length) yield;
        const end = Math.min(this.position + left, this.chunk.length);
        rows += countNewlines(this.chunk, this.position, end);
        left -= end - this.position;
        this.position = end;
      }
    }
  }

  /** The hot path: pg_dump up to 18 writes one piece for each row, and most lie whole within the chunk. */
  #wholePieces(joins: boolean): number {
    const { chunk } = this;
    const last = chunk.length - lengthBytes;
    let position = this.position;
    let pieces = 0;
    let rows = 0;
    while (position <= last && chunk[position] === 0) {
      const length = chunk.readInt32LE(position + 1);
      const start = position + lengthBytes;
      const end = start + length;
      if (length <= 0 || end > chunk.length) break;
      const found = chunk.indexOf(newline, start);
      if (found === end - 1) rows++;
      else if (found !== -1 && found < end) rows += countNewlines(chunk, found, end);
      position = end;
      pieces++;
    }
    if (joins && pieces > 1) {
      this.#runs.push({ start: this.position, end: position });
      this.#saved += (pieces - 1) * lengthBytes;
    }
    this.position = position;
    return rows;
  }

  *#int(): Step<number> {
    const bytes = yield* this.take(lengthBytes);
    const value = bytes.readUInt32LE(1);
    return bytes[0] === 0 ? value : -value;
  }

  *#count(): Step<number> {
    const count = yield* this.#int();
    if (count < 0) throw damaged('holds a negative length');
    return count;
  }

  /** A text, `''` when it is not wanted, undefined for NULL. */
  *#text(wanted = true): Step<string | undefined> {
    const length = yield* this.#int();
    if (length < 0) return undefined;
    if (wanted && length <= textLimit) return (yield* this.take(length)).toString('utf8');
    yield* this.skip(length);
    return '';
  }

  *#skipTexts(count: number): Step {
    for (let left = count; left > 0; left--) yield* this.#text(false);
  }
}

/** As WriteOffset of pg_backup_archiver.c: the lowest byte first, whatever the machine. */
function pointer(offset: number, offsetBytes: number): Buffer {
  const bytes = Buffer.alloc(1 + offsetBytes);
  bytes[0] = offsetIsKnown;
  for (let [at, left] = [1, offset]; at <= offsetBytes; at++, left = Math.floor(left / 256)) bytes[at] = left % 256;
  return bytes;
}

function damaged(what: string): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', `the dump is not a whole archive: it ${what}`, {
    hint: 'The dump was cut off or damaged: make a new one, or use another copy of this backup.',
  });
}
