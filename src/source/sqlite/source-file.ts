import { stat } from 'node:fs/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import { askWorker } from './ask-worker.ts';
import type { DatabaseHeader } from './database-header.ts';

export interface SourceFile extends DatabaseHeader {
  /** Bytes of the file and of its -wal: as much as a copy can need. */
  readonly bytes: number;
  readonly sqliteVersion: string;
}

/** Looks at a database without opening it as one, so that nothing is created or locked. Throws SOURCE_FAILED, DUMP_EMPTY. */
export async function lookAtSource(path: string, signal: AbortSignal): Promise<SourceFile> {
  const bytes = await sizeOf(path);
  const { header, sqliteVersion } = await askWorker({ task: 'look', path }, { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw unreadable(path, cause);
  });
  if (header === undefined) {
    throw new DbBackupError('SOURCE_FAILED', `${path} is not a SQLite database, or it is encrypted`, {
      hint: 'Check the path. Encrypted databases (SQLCipher, SEE) cannot be read without their own library.',
    });
  }
  const wal = await stat(`${path}-wal`).catch(() => undefined);
  return { ...header, bytes: bytes + (wal?.size ?? 0), sqliteVersion };
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  // Opening a pipe or a device could hang or do harm.
  if (!found.isFile()) throw new DbBackupError('SOURCE_FAILED', `SQLite database ${path} is not a regular file`);
  if (found.size > 0) return found.size;
  throw new DbBackupError('DUMP_EMPTY', `SQLite database ${path} is empty (0 bytes)`, {
    hint: 'Nothing has been written to it yet, or something has cut it off. Is the path right?',
  });
}

function unreadable(path: string, cause: unknown): DbBackupError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const message = missing ? `SQLite database ${path} does not exist` : `cannot read SQLite database ${path}`;
  const hint = missing
    ? 'Check "path"; a relative one is relative to the folder of the configuration file.'
    : 'Check that this user may read the file and its folder.';
  return wrapError(cause, 'SOURCE_FAILED', message, hint);
}
