import { DbBackupError } from '../../errors.ts';
import { ProgramFailure } from '../../process/process.ts';
import { ownClient } from './foreign-client.ts';

/** Server error numbers, MariaDB Knowledge Base "MariaDB Error Codes", and what the client says itself (2xxx). */
const hints: readonly (readonly [RegExp, string])[] = [
  [/\b1044\b|\b1142\b|\b1370\b/, 'Give the user that right: see "GRANT" in the README, section mysql.'],
  [
    /\b1227\b/,
    'Views, triggers, routines and events of other definers need a user with SUPER (MariaDB: SET USER; MySQL: SET_USER_ID or SET_ANY_DEFINER).',
  ],
  [
    /\b1153\b|max_allowed_packet|\b2020\b/,
    'A row is longer than the server takes: SET GLOBAL max_allowed_packet = 1073741824; and try again.',
  ],
  [
    /\b1356\b|invalid table/,
    'That view refers to something that is gone: repair or drop it, or exclude it (tables: { exclude: [...] }).',
  ],
  [
    /\b1419\b/,
    'The binary log is on: SET GLOBAL log_bin_trust_function_creators = 1, or restore as a user with SUPER.',
  ],
  [/\b1412\b/, 'A table was altered during the dump: run it again.'],
  [/generation_expression/i, ownClient],
  [
    /\b2026\b.*certificate/,
    'The certificate of the server is not of a known authority, or not for this host name: set sslCa, and the name in it as host.',
  ],
];

/** Of a client to an account: MySQL's programs from 9.0 on have no mysql_native_password, MariaDB's older ones lack MySQL's. */
const noPlugin = /\b2059\b|[Aa]uthentication plugin .* cannot be loaded/;

const refusedLogin = /\b1045\b|\b1698\b|\b1275\b|\b2059\b|Access denied for user .* \(using password/;
const noConnection = /\b(2002|2003|2005|2006|2013|2026|4031|1152|1927|1053|1040)\b|Lost connection|gone away/;

/** What a client program says, under the code and the hint that fit it. */
export function explain(cause: unknown, operation: string, more?: string): Error {
  if (!(cause instanceof ProgramFailure)) return cause instanceof Error ? cause : new Error(String(cause));
  const said = errorLines(cause.stderrTail);
  const message = `${operation} failed: ${cause.message.replace(cause.stderrTail, said)}${more ?? ''}`;
  if (cause.code !== 'TOOL_FAILED') {
    return new DbBackupError(cause.code, message, { cause: cause.cause, hint: cause.hint, retryable: cause.retryable });
  }
  if (refusedLogin.test(said)) {
    return new DbBackupError('AUTHENTICATION_FAILED', message, {
      hint: noPlugin.test(said)
        ? "This client does not know the way in which the account authenticates: name the folder of a client that does in clientFolder (of the server's own make; of MySQL before 9.0 for mysql_native_password), or ALTER USER … IDENTIFIED WITH caching_sha2_password."
        : 'Check user and password (in the config or ~/.my.cnf) and from which host the server lets this user in.',
    });
  }
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1];
  if (hint === undefined && noConnection.test(said)) {
    return new DbBackupError('SOURCE_FAILED', message, {
      hint: 'Check that the server runs and that host, port and socket are right.',
      retryable: true,
    });
  }
  return new DbBackupError('TOOL_FAILED', message, { hint: hint ?? cause.hint });
}

/** The client shows the statement before the error, and with it rows, which have no business in logs. */
export function errorLines(stderr: string): string {
  const at = stderr.search(/^ERROR \d+/m);
  return at === -1 ? stderr : stderr.slice(at);
}

/** Line of the script on which the failed statement begins. */
export function failedLine(cause: unknown): number | undefined {
  const line =
    cause instanceof ProgramFailure ? /^ERROR \d+ .*? at line (\d+)/m.exec(cause.stderrTail)?.[1] : undefined;
  return line === undefined ? undefined : Number(line);
}
