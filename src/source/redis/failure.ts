import { DbBackupError } from '../../errors.ts';
import { ProgramFailure } from '../../process/process.ts';
import { rightsToRestore } from './rights.ts';

const refusedLogin = /WRONGPASS|NOAUTH|AUTH failed|invalid password|invalid username-password/i;
const noConnection = /Could not connect|Connection (refused|reset|timed out)|Server closed the connection|I\/O error/i;

/** Answers of the server by their first word → the way out. */
const hints: readonly (readonly [RegExp, string, retryable?: boolean])[] = [
  [
    /\bNOPERM\b/,
    `Give the user the rights: ACL SETUSER <user> +sync +replconf +info (to restore also ${rightsToRestore}).`,
  ],
  [/\bLOADING\b/, 'The server is still loading its data: try again.', true],
  [/NOMASTERLINK|while not connected with my master/, 'It is a replica without its master: try again.', true],
  [/\bMISCONF\b/, "The server cannot write its own snapshots (disk full?) and takes no writes: see the server's log."],
  [/\bOOM\b/, 'The target has too little memory: raise its maxmemory.'],
  [/\bREADONLY\b/, 'The target is a replica: restore into its master.'],
  [
    /payload version or checksum/,
    'The target is older than the server that the backup is of: restore into the same version or a newer one.',
  ],
  [/Bad data format/, 'The target does not know a type of value in the backup: it is older, or lacks a module.'],
  [/\bBUSYKEY\b/, 'Somebody else writes to the target: stop what uses it, and restore again.'],
  [/unknown command|ERR unknown/i, 'The server does not know this command, or has it renamed or disabled.'],
];

/** What the client tells of its progress is no news after a failure. */
const progress = /^(sending REPLCONF .*|SYNC sent to master.*|Transfer finished.*|Warning: .*)$/gm;

const silence =
  'Nothing answers: check host and port, firewalls on the way, and whether server and client agree on TLS (redis:// or rediss://).';

/** What the client says, under the code and the hint that fit it. `operation`: `the dump of redis://db`. */
export function explain(cause: unknown, operation: string): Error {
  if (!(cause instanceof ProgramFailure)) return cause instanceof Error ? cause : new Error(String(cause));
  const said = cause.stderrTail.replace(progress, '').replace(/\n+/g, '\n').trim();
  const message = `${operation} failed: ${cause.message.replace(cause.stderrTail, said)}`.replace(/: $/, '');
  if (cause.code === 'TIMEOUT') {
    return new DbBackupError('TIMEOUT', message, { hint: silence, retryable: true });
  }
  if (cause.code !== 'TOOL_FAILED') {
    return new DbBackupError(cause.code, message, { cause: cause.cause, hint: cause.hint, retryable: cause.retryable });
  }
  return refusal(said, message) ?? new DbBackupError('TOOL_FAILED', message, { hint: cause.hint });
}

/** An error for what a server or client said, where it is one of the usual things. */
export function refusal(said: string, message: string): DbBackupError | undefined {
  if (refusedLogin.test(said)) {
    return new DbBackupError('AUTHENTICATION_FAILED', message, {
      hint: 'Check user and password (in the config, or REDISCLI_AUTH in the environment).',
    });
  }
  const [, hint, retryable] = hints.find(([pattern]) => pattern.test(said)) ?? [];
  if (hint !== undefined) return new DbBackupError('SOURCE_FAILED', message, { hint, retryable });
  if (!noConnection.test(said)) return undefined;
  return new DbBackupError('SOURCE_FAILED', message, {
    hint: 'Check that the server runs, that host and port (or socket) are right, and whether it wants TLS (rediss://).',
    retryable: true,
  });
}
