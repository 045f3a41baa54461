/** Repeats what failed for a passing reason, after growing pauses with jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
import { setTimeout as delay } from 'node:timers/promises';

export interface Backoff {
  /** How often the work may be repeated after its first failure. */
  readonly retries: number;
  /** True for an error that may pass by itself. */
  readonly passing: (error: unknown) => boolean;
  readonly signal?: AbortSignal;
}

const firstPauseMs = 200;
const longestPauseMs = 20_000;

/** Throws the last error, or the signal's reason. */
export async function withBackoff<T>(work: () => Promise<T>, { retries, passing, signal }: Backoff): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (failures >= retries || !passing(error)) throw error;
    }
    await pause(failures, signal);
  }
}

/** Between half and the whole of a pause that doubles with every failure. */
export async function pause(failures: number, signal?: AbortSignal): Promise<void> {
  const whole = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
  try {
    await delay(whole * (0.5 + Math.random() / 2), undefined, { signal });
  } catch {
    signal?.throwIfAborted();
  }
}
