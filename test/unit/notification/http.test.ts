import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DbBackupError } from '../../../src/errors.ts';
import { NotificationFailure } from '../../../src/notification/failure.ts';
import { webhookType } from '../../../src/notification/webhook.ts';
import { deadUrl, type HttpReceiver, startHttpReceiver } from '../../servers/http-receiver.ts';
import { failure, openChannel } from './sample.ts';

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await startHttpReceiver();
});
afterEach(() => receiver.close());

async function failureOf(url: string, options: Record<string, unknown> = {}): Promise<NotificationFailure> {
  const sent = openChannel(webhookType, { url, ...options }).send(failure);
  const error: unknown = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NotificationFailure);
  return error as NotificationFailure;
}

describe('a request that fails', () => {
  test.each([
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [400, false],
    [401, false],
    [404, false],
  ])('with %i is worth another try: %s', async (status, retryable) => {
    receiver.answers.push({ status, body: 'no\n service' });
    const error = await failureOf(receiver.url);
    expect(error).toMatchObject({ code: 'NOTIFICATION_FAILED', retryable });
    expect(error.message).toContain(`answered ${status} no service`);
  });

  test('tells when it may be tried again', async () => {
    receiver.answers.push({ status: 429, headers: { 'Retry-After': '7' } });
    expect((await failureOf(receiver.url)).retryAfterMs).toBe(7000);
  });

  test('because nobody listens names the reason', async () => {
    const error = await failureOf(await deadUrl());
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.retryable).toBe(true);
  });

  test('because no answer comes ends at its time limit', async () => {
    receiver.answers.push({ status: 200, silent: true });
    const error = await failureOf(receiver.url, { timeout: '50ms' });
    expect(error).toMatchObject({ message: expect.stringContaining('did not answer within 0.05 s'), retryable: true });
  });

  test('because it was redirected is not sent elsewhere', async () => {
    const other = await startHttpReceiver();
    try {
      receiver.answers.push({ status: 307, headers: { Location: `${other.url}/stolen-1234` } });
      const error = await failureOf(receiver.url, { headers: { Authorization: 'Bearer canary-1' } });
      expect(error).toMatchObject({ retryable: false, hint: expect.stringContaining('final URL') });
      expect(error.message).not.toContain('stolen-1234');
      expect(other.received).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('keeps only the beginning of an endless answer', async () => {
    receiver.answers.push({ status: 500, body: 'x'.repeat(1_000_000) });
    expect((await failureOf(receiver.url)).message.length).toBeLessThan(5000);
  });
});

test('an aborted signal ends the request with its own reason', async () => {
  receiver.answers.push({ status: 200, silent: true });
  const controller = new AbortController();
  const sent = openChannel(webhookType, { url: receiver.url }).send(failure, { signal: controller.signal });
  await receiver.arrived(1);
  const reason = new DbBackupError('INTERRUPTED', 'interrupted');
  controller.abort(reason);
  await expect(sent).rejects.toBe(reason);
});
