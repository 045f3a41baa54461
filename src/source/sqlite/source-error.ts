import { DbBackupError, messageOf } from '../../errors.ts';
import { SqliteRefusal } from './ask-worker.ts';

/** Gives a failed dump its name, whether SQLite refused in our worker or in the `sqlite3` program. */
export function sourceError(path: string, cause: unknown): unknown {
  if (cause instanceof DbBackupError && cause.code !== 'TOOL_FAILED') return cause;
  if (!(cause instanceof DbBackupError || cause instanceof SqliteRefusal)) return cause;
  const text = messageOf(cause);
  if (/database is locked|SQLITE_BUSY/.test(text)) {
    return new DbBackupError('SOURCE_LOCKED', `SQLite database ${path} stayed locked by another program`, {
      cause,
      retryable: true,
      hint: 'Wait until the other program has finished its transaction, or set a longer "busyTimeout".',
    });
  }
  return new DbBackupError('SOURCE_FAILED', `SQLite database ${path} cannot be dumped`, { cause, hint: hintFor(text) });
}

function hintFor(text: string): string | undefined {
  if (/collation sequence|no such function|no such module/.test(text)) {
    return 'The database needs an extension of its application, without which it can be neither checked nor restored.';
  }
  if (/malformed|SQLITE_CORRUPT/.test(text)) {
    return 'The database is damaged. Run: sqlite3 <database> "PRAGMA integrity_check"; keep the older backups.';
  }
  if (/SQLITE_READONLY_ROLLBACK|attempt to write a readonly/.test(text)) {
    return 'A writer died in the middle of a transaction. Open the database once with its application, which undoes it.';
  }
  if (/SQLITE_CANTOPEN|SQLITE_READONLY|unable to open/.test(text)) {
    return 'A database in WAL mode can be read only by someone who may write to its folder (for the -shm file).';
  }
  return undefined;
}
