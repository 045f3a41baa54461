/** What a look at something found: the common language of every adapter's doctor (`dbbackup check`). */
import { DbBackupError, explain } from './errors.ts';

/** `info`: worth knowing, nothing to do. `warn`: works today. `fail`: a run, or a restore, would fail. */
export type Severity = 'ok' | 'info' | 'warn' | 'fail';

export interface Finding {
  readonly severity: Severity;
  /** One sentence; no secret. */
  readonly what: string;
  /** What to do about it; with `warn` and `fail`. */
  readonly wayOut?: string;
}

export const ok = (what: string): Finding => ({ severity: 'ok', what });
export const info = (what: string): Finding => ({ severity: 'info', what });
export const warn = (what: string, wayOut: string): Finding => ({ severity: 'warn', what, wayOut });
export const fail = (what: string, wayOut: string): Finding => ({ severity: 'fail', what, wayOut });

/** An error as a finding, with its own hint where it has one. */
export function failure(
  error: unknown,
  wayOut = 'The message names the cause; the README tells what this kind needs.',
): Finding {
  return fail(explain(error), (error instanceof DbBackupError && hintOf(error)) || wayOut);
}

function hintOf(error: DbBackupError): string | undefined {
  if (error.hint !== undefined) return error.hint;
  return error.cause instanceof DbBackupError ? hintOf(error.cause) : undefined;
}
