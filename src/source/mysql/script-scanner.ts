/**
 * Reads the script of mysqldump or mariadb-dump as its bytes pass, the way the client takes it apart: statements by the
 * `StatementReader`, and the rows of each INSERT by `InsertRows`, which counts them.
 * Guarantees: `finish` throws unless the script's own trailer was its last word, so that no text inside the data, a
 * routine or a string can stand for it. Memory stays flat whatever the length of a row: only statements other than
 * INSERT are gathered.
 * Source: client/mysqldump.c and client/mysql.cc (add_line) of MariaDB and MySQL.
 */
import { DbBackupError } from '../../errors.ts';
import { InsertRows } from './insert-rows.ts';
import { createdTable, filledTable } from './named-table.ts';
import { type Piece, StatementReader } from './statement-reader.ts';

export interface ScriptEvents {
  readonly piece?: (piece: Piece) => void;
  /** Bytes of the rows of the INSERT that came last, its semicolon included. */
  readonly rows?: (bytes: Buffer) => void;
}

/** Bytes of a statement that surely hold the name of its table: 64 letters, quoted. */
const headLength = 600;

export class ScriptScanner {
  readonly #events: ScriptEvents;
  readonly #tables = new Map<string, number | null>();
  readonly #reader = new StatementReader((piece) => this.#piece(piece));
  /** Of the INSERT that is being read. */
  #rows: InsertRows | undefined;
  #bytes = 0;

  constructor(events: ScriptEvents = {}) {
    this.#events = events;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    for (let rest: Buffer | undefined = chunk; rest !== undefined && rest.length > 0; ) {
      rest = this.#rows === undefined ? this.#readStatements(rest) : this.#readRows(rest, this.#rows);
    }
  }

  finish(): void {
    if (this.#bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'the dump is empty: not one byte came');
    if (this.#rows !== undefined || !this.#reader.isComplete) throw this.#incomplete();
    this.#reader.finish();
  }

  /** Rows by table; null for tables that are defined and have no data section. */
  tables(): Readonly<Record<string, number | null>> {
    return Object.fromEntries(this.#tables);
  }

  #incomplete(): DbBackupError {
    const inRows = this.#rows !== undefined;
    const place = inRows ? `inside the rows of ${this.#reader.table}` : 'before its last line ("-- Dump completed")';
    return new DbBackupError('DUMP_INCOMPLETE', `the dump is not a whole script: it ends ${place}`, {
      hint: 'The dump was cut off or damaged: make a new one, or use another copy of this backup.',
    });
  }

  /** Returns what follows the beginning of an INSERT's rows. */
  #readStatements(chunk: Buffer): Buffer | undefined {
    const rest = this.#reader.read(chunk);
    if (rest === undefined) return undefined;
    this.#rows = new InsertRows();
    this.#count(this.#reader.table, 0);
    return rest;
  }

  /** Returns what follows the rows' end. */
  #readRows(chunk: Buffer, rows: InsertRows): Buffer | undefined {
    const end = rows.pass(chunk);
    this.#count(this.#reader.table, rows.rows);
    this.#reader.passLines(rows.lines);
    const bytes = end === -1 ? chunk : chunk.subarray(0, end);
    if (bytes.length > 0) this.#events.rows?.(bytes);
    if (end === -1) return undefined;
    this.#rows = undefined;
    return chunk.subarray(end);
  }

  #piece(piece: Piece): void {
    const { text, begin } = piece;
    const head = text.toString('utf8', begin, begin + headLength);
    const created = createdTable(head);
    if (created !== undefined && !this.#tables.has(created)) this.#tables.set(created, null);
    const filled = filledTable(head);
    if (filled !== undefined) this.#count(filled, 0);
    this.#events.piece?.(piece);
  }

  #count(table: string, rows: number): void {
    this.#tables.set(table, (this.#tables.get(table) ?? 0) + rows);
  }
}
