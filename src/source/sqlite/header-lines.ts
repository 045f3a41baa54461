import { DbBackupError } from '../../errors.ts';
import { headerPrefix } from './sql-dump-script.ts';

export interface SqlHeader {
  readonly tables: Readonly<Record<string, number | null>>;
  readonly properties: Readonly<Record<string, string | number>>;
}

interface HeaderLine {
  readonly table?: string;
  /** Missing for tables that only serve a virtual one. */
  readonly rows?: number | null;
  /** Rows with values that `.dump` would change. */
  readonly lost?: number;
  readonly properties?: Readonly<Record<string, string | number>>;
  /** `PRAGMA schema_version` of the dump's snapshot. */
  readonly schema?: number;
  /** What integrity_check found. */
  readonly problem?: string;
  /** The last of the lines, where they say so. */
  readonly end?: boolean;
}

const limitBytes = 64 * 1024 * 1024;
const prefix = Buffer.from(headerPrefix);

/** The comment lines that come before a dump, read as they pass. */
export class HeaderLines {
  readonly #path: string;
  readonly #schema: number | undefined;
  readonly #tables: [string, number | null][] = [];
  #properties: Readonly<Record<string, string | number>> = {};
  #unread = Buffer.alloc(0);
  #bytes = 0;
  #over = false;
  #ended = false;

  /** `schema`: of the snapshot in which the tables were listed, where that was another one. */
  constructor(path: string, schema?: number) {
    this.#path = path;
    this.#schema = schema;
  }

  header(): SqlHeader {
    return { tables: Object.fromEntries(this.#tables), properties: this.#properties };
  }

  /** True once the line that says `end` has been read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Throws SOURCE_FAILED, DUMP_INCOMPLETE, LIMIT_EXCEEDED. */
  read(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes > limitBytes) {
      throw new DbBackupError(
        'LIMIT_EXCEEDED',
        `the list of tables of ${this.#path} is larger than ${limitBytes} bytes`,
      );
    }
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (let end = this.#unread.indexOf('\n'); end >= 0 && !this.#over; end = this.#unread.indexOf('\n')) {
      this.#readLine(this.#unread.subarray(0, end));
      this.#unread = this.#unread.subarray(end + 1);
    }
    if (this.#over) this.#unread = Buffer.alloc(0);
  }

  #readLine(line: Buffer): void {
    if (!line.subarray(0, prefix.length).equals(prefix)) {
      this.#over = true;
      return;
    }
    const {
      table,
      rows,
      lost = 0,
      properties,
      schema,
      problem,
      end,
    } = JSON.parse(line.toString('utf8', prefix.length)) as HeaderLine;
    if (end) this.#ended = true;
    if (problem !== undefined) throw this.#damaged(problem);
    if (schema !== undefined && schema !== this.#schema) throw this.#altered();
    if (properties !== undefined) this.#properties = properties;
    if (table === undefined) return;
    if (lost > 0) throw this.#lossyDump(table, lost);
    if (rows !== undefined) this.#tables.push([table, rows]);
  }

  #lossyDump(table: string, rows: number): DbBackupError {
    const what = `table ${table} holds values that SQL text cannot carry, in ${rows} row${rows === 1 ? '' : 's'}`;
    return new DbBackupError('SOURCE_FAILED', `${this.#path}: ${what} (NUL in text, or numbers next to zero)`, {
      hint: 'Use "format: sqlite", which copies every byte.',
    });
  }

  #altered(): DbBackupError {
    return new DbBackupError('SOURCE_FAILED', `the tables of ${this.#path} were altered as the dump began`, {
      retryable: true,
      hint: 'Run it again.',
    });
  }

  #damaged(problem: string): DbBackupError {
    return new DbBackupError('DUMP_INCOMPLETE', `integrity_check of the copy of ${this.#path} failed: ${problem}`, {
      hint: 'The database is damaged. Nothing was published; take an older backup, or repair the database.',
    });
  }
}
