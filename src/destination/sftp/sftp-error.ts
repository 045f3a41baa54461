/** Errors of SFTP, SSH and the network in the words of the program. */
import { DbBackupError } from '../../errors.ts';

/** Answers of an SFTP server (draft-ietf-secsh-filexfer-02, 7). OpenSSH gives `failure` for everything it has no own number for. */
export const status = { missing: 2, denied: 3, failure: 4, noConnection: 6, lost: 7, unsupported: 8 } as const;

const unreachable = 'Check `host` and `port`, the network and any firewall between.';

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ENOTFOUND: 'No such host: check `host`. Names of ~/.ssh/config are not known here.',
  EAI_AGAIN: 'The name of the server could not be looked up: check the network and DNS.',
  'client-timeout':
    'The server was silent for longer than `idleTimeout`: check the network and the load of the server.',
  'client-authentication':
    'The server took none of the configured keys and passwords for this user: check `user`, and that the public key ' +
    'is in its ~/.ssh/authorized_keys there.',
  protocol: 'The server hung up: it may be overloaded (MaxStartups), or no SSH server at all.',
  handshake: 'Client and server share no algorithm: the server may be too old.',
  [status.missing]: 'Something on the way does not exist, or is no folder.',
  [status.denied]: 'Give the user the right to read and write the folder on the server.',
  [status.failure]: 'The server says no more. Often its disk or a quota is full; its log knows more.',
  [status.unsupported]: 'The server does not know this request.',
};

const passing = new Set<string | number>([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'client-timeout'],
  ...['connection-lost', 'client-socket', 'protocol'],
  ...[status.noConnection, status.lost],
]);

/** The connection went away with the answer, or before it. */
export class ConnectionLost extends Error {
  readonly code = 'connection-lost';

  constructor(cause?: unknown) {
    super('the connection was lost', { cause });
  }
}

/** Status of the server, errno, or where in ssh2 the error arose. */
export function codeOf(error: unknown): string | number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, level } = error as Error & { code?: unknown; level?: unknown };
  if (typeof code === 'number' || typeof code === 'string') return code;
  return typeof level === 'string' ? level : undefined;
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === status.missing;
}

/** True for an extension the server has not announced, or a request that it does not know. */
export function isUnsupported(error: unknown): boolean {
  return (
    codeOf(error) === status.unsupported ||
    (error instanceof Error && error.message === 'Server does not support this extended request')
  );
}

/** True when the same request may succeed later by itself. */
export function isPassing(error: unknown): boolean {
  if (error instanceof DbBackupError) return error.retryable;
  return passing.has(codeOf(error) ?? '');
}

/** DESTINATION_FAILED for an error of server, library or network; an error of ours stays what it is. */
export function sftpError(cause: unknown, action: string): DbBackupError {
  if (cause instanceof DbBackupError) return cause;
  const inner = cause instanceof ConnectionLost ? cause.cause : undefined;
  const reason = [cause, inner].flatMap((each) => (each instanceof Error ? [each.message] : [])).join(': ');
  const hint = hints[codeOf(inner) ?? ''] ?? hints[codeOf(cause) ?? ''];
  return new DbBackupError('DESTINATION_FAILED', `${action} failed (${reason || String(cause)})`, {
    cause,
    hint,
    retryable: isPassing(cause),
  });
}

export function diskFull(action: string, cause?: unknown): DbBackupError {
  return new DbBackupError('DISK_FULL', `${action} failed: no space left on the server`, {
    cause,
    hint: 'Free some space, raise the quota, or keep fewer backups; nothing unfinished was left under the name.',
  });
}
