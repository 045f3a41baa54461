/**
 * Adds to the header of a dump what the tools leave out: the database's exact name, character set, collation, and the
 * sql_mode without which dates such as 2024-02-31 (ALLOW_INVALID_DATES) come back as 0000-00-00 without an error.
 */
import { Transform } from 'node:stream';
import { highWaterMark } from './end-of-dump.ts';
import type { Facts } from './facts.ts';

/** Last line of the header of both tools. */
const lastLine = Buffer.from('SQL_NOTES=0 */;\n');
/** The tools' own comment has line ends of a name as they are. */
export const nameLine = '-- Dumped by dbbackup from the database ';
/** The header is about 1 KB. */
const headerBytes = 16 * 1024;

export class HeaderInsertion extends Transform {
  readonly #lines: Buffer;
  #header: Buffer | undefined = Buffer.alloc(0);

  constructor(database: string, defaults: Facts['defaults']) {
    super({ readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark });
    const charset =
      defaults && `ALTER DATABASE CHARACTER SET ${defaults.characterSet} COLLATE ${defaults.collation};\n`;
    this.#lines = Buffer.from(
      `/*!40101 SET SQL_MODE=CONCAT(@@SQL_MODE, ',ALLOW_INVALID_DATES') */;\n${charset ?? ''}${nameLine}${JSON.stringify(database)}\n`,
    );
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#header === undefined) {
      this.push(chunk);
      done();
      return;
    }
    const header = Buffer.concat([this.#header, chunk]);
    const found = header.indexOf(lastLine);
    if (found === -1 && header.length < headerBytes) {
      this.#header = header;
      done();
      return;
    }
    const place = found === -1 ? 0 : found + lastLine.length;
    this.#header = undefined;
    this.push(header.subarray(0, place));
    if (found !== -1) this.push(this.#lines);
    this.push(header.subarray(place));
    done();
  }

  /** It never had a header's end: the end-of-dump check will say so. */
  override _flush(done: () => void): void {
    if (this.#header !== undefined && this.#header.length > 0) this.push(this.#header);
    done();
  }
}
