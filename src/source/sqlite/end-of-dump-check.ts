/** Pass-through checks that a whole dump has passed; without it the stream errors, and its end never comes. */
import { Transform, type TransformCallback } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { DumpFormat } from '../source.ts';
import { headerBytes, parseHeader } from './database-header.ts';
import { binaryFormat } from './format.ts';

/** `.dump` ends so; after an error it writes `ROLLBACK; -- due to errors` and still exits 0. */
const trailer = '\nCOMMIT;\n';

export function endOfDumpCheck(format: DumpFormat): Transform {
  const check = format.name === binaryFormat.name ? new BinaryCheck() : new SqlCheck();
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      check.add(chunk);
      done(null, chunk);
    },
    flush: (done) => done(check.problem()),
  });
}

class SqlCheck {
  #bytes = 0;
  #tail = '';

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - 64))).slice(-64);
  }

  problem(): DbBackupError | null {
    if (this.#bytes === 0) return emptyDump();
    if (this.#tail.endsWith(trailer)) return null;
    if (this.#tail.endsWith('ROLLBACK; -- due to errors\n')) {
      return new DbBackupError('DUMP_INCOMPLETE', 'sqlite3 met errors while it read the database', {
        hint: 'Run: sqlite3 <database> "PRAGMA integrity_check". The database is probably damaged or was locked.',
      });
    }
    return incompleteDump('the last line is not "COMMIT;"');
  }
}

class BinaryCheck {
  #bytes = 0;
  #head = Buffer.alloc(0);

  add(chunk: Buffer): void {
    if (this.#head.length < headerBytes) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, headerBytes - this.#head.length)]);
    }
    this.#bytes += chunk.length;
  }

  problem(): DbBackupError | null {
    if (this.#bytes === 0) return emptyDump();
    const header = parseHeader(this.#head);
    if (header === undefined) return incompleteDump('it does not start as a SQLite database does');
    const { pageSize, pageCount = Math.ceil(this.#bytes / pageSize) } = header;
    if (pageSize * pageCount === this.#bytes) return null;
    return incompleteDump(`${this.#bytes} bytes, but its header says ${pageCount} pages of ${pageSize} bytes`);
  }
}

function emptyDump(): DbBackupError {
  return new DbBackupError('DUMP_EMPTY', 'empty dump: not one byte of a SQLite database');
}

function incompleteDump(problem: string): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', `incomplete dump of a SQLite database: ${problem}`);
}
