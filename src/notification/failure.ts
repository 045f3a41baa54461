import { DbBackupError } from '../errors.ts';
import { redact } from '../redact.ts';

export interface FailureDetails {
  readonly hint?: string;
  readonly retryable: boolean;
  /** What the receiver asked for, in ms. */
  readonly retryAfterMs?: number;
}

/**
 * NOTIFICATION_FAILED. It keeps no cause: what libraries throw repeats URLs, and a URL may be the secret.
 */
export class NotificationFailure extends DbBackupError {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { hint, retryable, retryAfterMs }: FailureDetails) {
    super('NOTIFICATION_FAILED', redact(message), { hint, retryable });
    this.retryAfterMs = retryAfterMs;
  }
}
