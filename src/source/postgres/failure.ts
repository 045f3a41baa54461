import { DbBackupError } from '../../errors.ts';
import { ProgramFailure } from '../../process/process.ts';

const refusedLogin = /authentication failed|no password supplied|password required|no pg_hba\.conf entry/;
const noDatabase = /FATAL: {1,2}database ".*" does not exist/;
const noConnection =
  /connection to server .* failed|could not (connect|translate)|server closed the connection|terminating connection/s;

/** SQLSTATE 53300, whose number psql does not tell. */
const noRoom = /FATAL: {1,2}(too many connections|.*too many clients|remaining connection slots)/;

/** The server takes no further connection now. */
export function isCrowded(error: unknown): boolean {
  return error instanceof ProgramFailure && noRoom.test(error.stderrTail);
}

/**
 * What a PostgreSQL program says, under the code and the hint that fit it. `operation`: `pg_dump of shop`; `hint`: the
 * way out where none fits better.
 */
export function explain(cause: unknown, operation: string, hint?: string): Error {
  if (!(cause instanceof ProgramFailure)) return cause instanceof Error ? cause : new Error(String(cause));
  const message = `${operation} failed: ${cause.message}`;
  if (cause.code !== 'TOOL_FAILED')
    return new DbBackupError(cause.code, message, { cause: cause.cause, hint: cause.hint, retryable: cause.retryable });
  if (refusedLogin.test(cause.stderrTail)) {
    return new DbBackupError('AUTHENTICATION_FAILED', message, {
      hint: "Check user and password (in the config, PGPASSWORD or .pgpass) and the server's pg_hba.conf.",
    });
  }
  if (noDatabase.test(cause.stderrTail)) {
    return new DbBackupError('SOURCE_FAILED', message, {
      hint: 'Correct the name of the database in the config or the URL; for a restore, --create makes a new one.',
    });
  }
  if (isCrowded(cause)) {
    return new DbBackupError('SOURCE_FAILED', message, {
      hint: 'Wait until others have gone, restore with fewer --jobs, or allow the role or the server more connections.',
      retryable: true,
    });
  }
  if (noConnection.test(cause.stderrTail)) {
    return new DbBackupError('SOURCE_FAILED', message, {
      hint: 'Check that the server runs and that host and port are right.',
      retryable: true,
    });
  }
  return new DbBackupError('TOOL_FAILED', message, { hint: cause.hint ?? hint });
}
