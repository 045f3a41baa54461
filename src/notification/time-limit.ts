import { NotificationFailure } from './failure.ts';

/** Gives `work` a signal that ends it after `limitMs` or when `outer` aborts; throws a retryable failure, or the outer reason. */
export async function withTimeLimit<Value>(
  who: string,
  limitMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  outer?.throwIfAborted();
  const limit = new AbortController();
  const tooLate = new NotificationFailure(`${who} did not answer within ${limitMs / 1000} s`, { retryable: true });
  const timer = setTimeout(() => limit.abort(tooLate), limitMs);
  const passOn = () => limit.abort(outer?.reason);
  outer?.addEventListener('abort', passOn, { once: true });
  try {
    return await work(limit.signal);
  } catch (error) {
    // Libraries wrap the reason in words of their own.
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', passOn);
  }
}
