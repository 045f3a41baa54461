import { afterEach, beforeEach, expect, test } from 'vitest';
import { heartbeatType } from '../../../src/notification/heartbeat.ts';
import type { Message, NotificationEvent } from '../../../src/notification/notification.ts';
import { type HttpReceiver, startHttpReceiver } from '../../servers/http-receiver.ts';
import { failure, openChannel, success } from './sample.ts';

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await startHttpReceiver();
});
afterEach(() => receiver.close());

async function pathsOf(options: Record<string, unknown>, events: readonly NotificationEvent[]): Promise<string[]> {
  const channel = openChannel(heartbeatType, options);
  for (const event of events) await channel.send({ ...success, event } satisfies Message);
  return receiver.received.map(({ method, path }) => `${method} ${path}`);
}

const all = ['start', 'success', 'recovery', 'warning', 'failure', 'test'] as const;
const rid = `rid=${success.executionId}`;

test('calls a check in the manner of Healthchecks', async () => {
  expect(await pathsOf({ url: `${receiver.url}/ping/uuid/` }, all)).toEqual([
    `POST /ping/uuid/start?${rid}`,
    `POST /ping/uuid?${rid}`,
    `POST /ping/uuid?${rid}`,
    `POST /ping/uuid/fail?${rid}`,
    `POST /ping/uuid/fail?${rid}`,
    `POST /ping/uuid/log?${rid}`,
  ]);
});

test('calls the URLs of other monitors, and only those', async () => {
  const options = {
    successUrl: `${receiver.url}/push/x?status=up`,
    failureUrl: `${receiver.url}/push/x?status=down`,
    method: 'GET',
    warningAs: 'success',
  };
  const [up, down] = ['GET /push/x?status=up', 'GET /push/x?status=down'];
  expect(await pathsOf(options, all)).toEqual([up, up, up, down, up]);
});

test('sends the tail of the log, within 100 kB', async () => {
  const channel = openChannel(heartbeatType, { url: receiver.url });
  await channel.send(failure);
  expect(receiver.received[0]?.body).toBe([failure.title, failure.text, '', ...failure.log].join('\n'));
  await channel.send({ ...failure, log: ['€'.repeat(100_000)] });
  expect(Buffer.byteLength(receiver.received[1]?.body ?? '')).toBeLessThanOrEqual(100_000);
});

test('needs a URL for success, and is always told', () => {
  expect(heartbeatType.options.safeParse({ failureUrl: 'https://host/f' }).success).toBe(false);
  const channel = openChannel(heartbeatType, { url: 'https://host/uuid' });
  expect([...channel.events].sort()).toEqual([...all].sort());
  expect(channel.cooldownMs).toBe(0);
});
