import { stat } from 'node:fs/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import { readHead } from './database-files.ts';
import { type DatabaseHeader, parseHeader } from './database-header.ts';

export interface SourceFile extends DatabaseHeader {
  /** Bytes of the file and of its -wal: as much as a copy can need. */
  readonly bytes: number;
}

/** Looks at a database without opening it as one, so that nothing is created or locked. Throws SOURCE_FAILED, DUMP_EMPTY. */
export async function lookAtSource(path: string): Promise<SourceFile> {
  const head = await readHead(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (head.bytes === 0) {
    throw new DbBackupError('DUMP_EMPTY', `SQLite database ${path} is empty (0 bytes)`, {
      hint: 'Nothing has been written to it yet, or something has cut it off. Is the path right?',
    });
  }
  const header = parseHeader(head.content);
  if (header === undefined) {
    throw new DbBackupError('SOURCE_FAILED', `${path} is not a SQLite database, or it is encrypted`, {
      hint: 'Check the path. Encrypted databases (SQLCipher, SEE) cannot be read without their own library.',
    });
  }
  const wal = await stat(`${path}-wal`).catch(() => undefined);
  return { ...header, bytes: head.bytes + (wal?.size ?? 0) };
}

function unreadable(path: string, cause: unknown): DbBackupError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const message = missing ? `SQLite database ${path} does not exist` : `cannot read SQLite database ${path}`;
  const hint = missing
    ? 'Check "path"; a relative one is relative to the folder of the configuration file.'
    : 'Check that this user may read the file and its folder.';
  return wrapError(cause, 'SOURCE_FAILED', message, hint);
}
