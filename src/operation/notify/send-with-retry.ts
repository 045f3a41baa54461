import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError } from '../../errors.ts';
import { NotificationFailure } from '../../notification/failure.ts';
import type { Message, Notification } from '../../notification/notification.ts';

/** Waits between the tries, in ms: three tries in all. */
const defaultDelaysMs = [1_000, 4_000];
/** Nobody waits longer for a service that says when it wants to hear from us again. */
const longestWaitMs = 30_000;

/** Tries again what may succeed a moment later. Throws the last failure, or the signal's reason. */
export async function sendWithRetry(
  channel: Notification,
  message: Message,
  signal?: AbortSignal,
  [waitMs, ...laterMs]: readonly number[] = defaultDelaysMs,
): Promise<string> {
  try {
    return await channel.send(message, { signal });
  } catch (error) {
    const retryable = error instanceof DbBackupError && error.retryable && !signal?.aborted;
    if (!retryable || waitMs === undefined) throw error;
    const asked = error instanceof NotificationFailure ? (error.retryAfterMs ?? 0) : 0;
    await delay(Math.min(Math.max(waitMs, asked), longestWaitMs), undefined, { signal });
    return await sendWithRetry(channel, message, signal, laterMs);
  }
}
