import { Transform, type TransformCallback } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { sourceError } from './source-error.ts';
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
}

const limitBytes = 64 * 1024 * 1024;
const prefix = Buffer.from(headerPrefix);

/** Passes a dump on and notes the comment lines at its head; names errors after the database. */
export class SqlHeaderReader extends Transform {
  readonly #path: string;
  readonly #tables: [string, number | null][] = [];
  #properties: Readonly<Record<string, string | number>> = {};
  #unread = Buffer.alloc(0);
  #headerBytes = 0;
  #inHeader = true;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  header(): SqlHeader {
    return { tables: Object.fromEntries(this.#tables), properties: this.#properties };
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      if (this.#inHeader) this.#read(chunk);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error === null ? null : (sourceError(this.#path, error) as Error));
  }

  #read(chunk: Buffer): void {
    this.#headerBytes += chunk.length;
    if (this.#headerBytes > limitBytes) {
      throw new DbBackupError(
        'LIMIT_EXCEEDED',
        `the list of tables of ${this.#path} is larger than ${limitBytes} bytes`,
      );
    }
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (let end = this.#unread.indexOf('\n'); end >= 0 && this.#inHeader; end = this.#unread.indexOf('\n')) {
      this.#readLine(this.#unread.subarray(0, end));
      this.#unread = this.#unread.subarray(end + 1);
    }
    if (!this.#inHeader) this.#unread = Buffer.alloc(0);
  }

  #readLine(line: Buffer): void {
    if (!line.subarray(0, prefix.length).equals(prefix)) {
      this.#inHeader = false;
      return;
    }
    const { table, rows, lost = 0, properties } = JSON.parse(line.toString('utf8', prefix.length)) as HeaderLine;
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
}
