import { describe, expect, test } from 'vitest';
import { NotificationFailure } from '../../../../src/notification/failure.ts';
import type { Notification } from '../../../../src/notification/notification.ts';
import { sendWithRetry } from '../../../../src/operation/notify/send-with-retry.ts';
import { failure } from '../../notification/sample.ts';

/** A channel that fails with these, one after the other, and then answers `ok`. */
function failing(...failures: readonly Error[]) {
  const left = [...failures];
  const times: number[] = [];
  const channel: Notification = {
    events: [],
    cooldownMs: 0,
    send: async () => {
      times.push(performance.now());
      const next = left.shift();
      if (next) throw next;
      return 'ok';
    },
  };
  return { channel, times };
}

const busy = new NotificationFailure('busy', { retryable: true });
const refused = new NotificationFailure('refused', { retryable: false });

describe('sendWithRetry', () => {
  test('tries three times', async () => {
    const { channel, times } = failing(busy, busy);
    expect(await sendWithRetry(channel, failure, undefined, [1, 1])).toBe('ok');
    expect(times).toHaveLength(3);
  });

  test('gives up after the third', async () => {
    const { channel, times } = failing(busy, busy, busy);
    await expect(sendWithRetry(channel, failure, undefined, [1, 1])).rejects.toBe(busy);
    expect(times).toHaveLength(3);
  });

  test('does not repeat what was refused, nor a bug', async () => {
    for (const error of [refused, new TypeError('bug')]) {
      const { channel, times } = failing(error);
      await expect(sendWithRetry(channel, failure, undefined, [1, 1])).rejects.toBe(error);
      expect(times).toHaveLength(1);
    }
  });

  test('waits as long as the receiver asks', async () => {
    const { channel, times } = failing(new NotificationFailure('slow down', { retryable: true, retryAfterMs: 150 }));
    await sendWithRetry(channel, failure, undefined, [1]);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(145);
  });

  test('an abort ends the waiting', async () => {
    const controller = new AbortController();
    const { channel, times } = failing(busy);
    const sent = sendWithRetry(channel, failure, controller.signal, [60_000]);
    setImmediate(() => controller.abort());
    await expect(sent).rejects.toThrow();
    expect(times).toHaveLength(1);
  });
});
