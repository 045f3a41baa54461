import { setTimeout as delay } from 'node:timers/promises';
import type { Retry } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';

/** Whether another try follows this failure. */
export function isTriedAgain(error: unknown, triesLeft: number, signal: AbortSignal): boolean {
  return triesLeft > 0 && !signal.aborted && error instanceof DbBackupError && error.retryable;
}

/**
 * Repeats what failed in a way that may pass by itself, waiting longer each time (backoff × 1, 2, 4 …). Every try is an
 * execution of its own. Throws the last error.
 * @param attempt gets the number of tries before, from 0
 * @param onRetry told before the wait, with its length in ms
 */
export async function withRetries<Value>(
  { attempts, backoffMs }: Retry,
  signal: AbortSignal,
  attempt: (before: number) => Promise<Value>,
  onRetry: (error: unknown, waitMs: number) => void,
): Promise<Value> {
  for (let before = 0; ; before += 1) {
    try {
      return await attempt(before);
    } catch (error) {
      if (!isTriedAgain(error, attempts - 1 - before, signal)) throw error;
      const waitMs = backoffMs * 2 ** before;
      onRetry(error, waitMs);
      // An abort in the wait ends it with the error that is known; the run is over either way.
      await delay(waitMs, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
