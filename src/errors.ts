/**
 * The one error type of the program and the one table of its codes.
 * Guarantees: every code has exactly one exit code; codes are never renumbered or reused.
 * Refuses: errors without a code. Whoever fails throws; nobody logs and continues.
 */

/** Error code → process exit code (see the README, "Exit codes"). Add at the end of a group; never change a line. */
export const exitCodes = {
  UNEXPECTED: 1,
  PIPELINE_FAILED: 1,
  HISTORY_FAILED: 1,

  USAGE: 2,
  CONFIG_NOT_FOUND: 2,
  CONFIG_INVALID: 2,
  CONFIG_UNTRUSTED: 2,
  SECRET_UNAVAILABLE: 2,
  UNSUPPORTED: 2,
  CONSENT_REQUIRED: 2,
  BACKUP_NOT_FOUND: 2,
  KEY_FILE_UNSAFE: 2,

  SOURCE_FAILED: 3,
  TOOL_MISSING: 3,
  TOOL_TOO_OLD: 3,
  TOOL_FAILED: 3,
  AUTHENTICATION_FAILED: 3,
  TIMEOUT: 3,
  DUMP_EMPTY: 3,
  DUMP_INCOMPLETE: 3,
  SOURCE_LOCKED: 3,
  TARGET_FAILED: 3,
  TARGET_NOT_EMPTY: 3,
  TARGET_IN_USE: 3,
  HOOK_FAILED: 3,

  DESTINATION_FAILED: 4,
  OBJECT_MISSING: 4,
  OBJECT_EXISTS: 4,
  DISK_FULL: 4,

  INTEGRITY: 5,
  SIDECAR_INVALID: 5,
  KEY_UNSAFE: 5,
  LIMIT_EXCEEDED: 5,
  WRONG_KEY: 5,
  SIGNATURE_INVALID: 5,

  BUSY: 6,
  PARTIAL: 7,
  WARNING: 8,
  NOTIFICATION_FAILED: 8,

  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

export type ErrorCode = keyof typeof exitCodes;

export interface ErrorDetails {
  /** The way out, as one sentence the user can act on. */
  readonly hint?: string;
  /** True when the same call may succeed later without anyone changing anything. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** What every room throws: names the operation and the object in `message`, the way out in `hint`, the reason in `cause`. */
export class DbBackupError extends Error {
  override readonly name = 'DbBackupError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/**
 * Adds the operation and the object to an error that came from below ("upload of shop/… to disk failed").
 * A DbBackupError keeps its own code, hint and retryable mark; anything else gets `code`.
 */
export function wrapError(cause: unknown, code: ErrorCode, message: string, hint?: string): DbBackupError {
  if (cause instanceof DbBackupError) {
    return new DbBackupError(cause.code, message, { cause, hint: cause.hint ?? hint, retryable: cause.retryable });
  }
  return new DbBackupError(code, message, { cause, hint });
}

/** The exit code for anything thrown; an error that is not ours is a bug and gives 1. */
export function exitCodeOf(error: unknown): number {
  return error instanceof DbBackupError ? error.exitCode : exitCodes.UNEXPECTED;
}

/** The causes of what was thrown, outermost first, at most ten; one that a message above already quotes is left out. */
export function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  let said = messageOf(error);
  for (let each = causeOf(error); each !== undefined && causes.length < 10; each = causeOf(each)) {
    const text = messageOf(each);
    if (!said.includes(text)) causes.push(each);
    said += `\n${text}`;
  }
  return causes;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** Message and causes in one line, for records and lists: `upload of … to offsite failed: no space left`. */
export function explain(error: unknown): string {
  return [error, ...causesOf(error)].map(messageOf).join(': ');
}

/** The message of anything thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
