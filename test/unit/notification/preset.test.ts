import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discordType } from '../../../src/notification/discord.ts';
import { heartbeatType } from '../../../src/notification/heartbeat.ts';
import type { Message, NotificationType } from '../../../src/notification/notification.ts';
import { ntfyType } from '../../../src/notification/ntfy.ts';
import { slackType } from '../../../src/notification/slack.ts';
import { teamsType } from '../../../src/notification/teams.ts';
import { telegramType } from '../../../src/notification/telegram.ts';
import { webhookType } from '../../../src/notification/webhook.ts';
import { type HttpReceiver, startHttpReceiver } from '../../servers/http-receiver.ts';
import { failure, openChannel, success } from './sample.ts';

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await startHttpReceiver();
});
afterEach(() => receiver.close());

/** Sends and returns what arrived: the request, its body parsed. */
async function payload<Options>(type: NotificationType<Options>, options: Record<string, unknown>, message: Message) {
  await openChannel(type, options).send(message);
  const request = receiver.received.at(-1);
  expect(request).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  return { ...request, json: JSON.parse(request?.body ?? '') };
}

const long: Message = { ...failure, text: '€&😀\n'.repeat(20_000) };

describe('slack', () => {
  test('sends text with its three special characters escaped', async () => {
    const { json, path } = await payload(slackType, { url: `${receiver.url}/services/T1/B1/x` }, failure);
    expect(path).toBe('/services/T1/B1/x');
    const text =
      '*❌ shop-nightly: backup FAILED on db1*\nTOOL_FAILED: pg_dump said "no" &amp; &lt;nothing&gt; else\nHint: look';
    expect(json).toEqual({ text });
  });

  test('cuts before it escapes', async () => {
    const { json } = await payload(slackType, { url: receiver.url }, long);
    expect(json.text).toMatch(/…$/);
    expect(json.text.replaceAll('&amp;', '').includes('&')).toBe(false);
  });
});

describe('discord', () => {
  test('sends content and lets nobody be mentioned', async () => {
    const { json } = await payload(discordType, { url: receiver.url }, { ...failure, text: '@everyone' });
    expect(json).toEqual({ content: `**❌ ${failure.title}**\n@everyone`, allowed_mentions: { parse: [] } });
  });

  test('keeps to 2000 characters, none cut in half', async () => {
    for (const shift of ['', 'a', 'ab', 'abc', 'abcd']) {
      const { json } = await payload(discordType, { url: receiver.url }, { ...long, text: shift + long.text });
      expect(json.content.length).toBeLessThanOrEqual(2000);
      expect(json.content.isWellFormed()).toBe(true);
    }
  });
});

describe('teams', () => {
  test('sends an Adaptive Card', async () => {
    const { json } = await payload(teamsType, { url: receiver.url }, failure);
    expect(json).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            body: [
              { type: 'TextBlock', text: `❌ ${failure.title}`, color: 'Attention', wrap: true },
              { type: 'TextBlock', text: failure.text.replace('\n', '\n\n'), wrap: true },
            ],
          },
        },
      ],
    });
  });

  test('keeps to 28 kB', async () => {
    const worst = { ...long, text: '\n"'.repeat(50_000) };
    const { body = '' } = await payload(teamsType, { url: receiver.url }, worst);
    expect(Buffer.byteLength(body)).toBeLessThan(28 * 1024);
  });
});

describe('telegram', () => {
  const token = '123456:ABC-def_ghi';
  test('sends plain text to the chat', async () => {
    const options = { token, chatId: '-100123', threadId: 7, server: receiver.url };
    const { json, path } = await payload(telegramType, options, failure);
    expect(path).toBe(`/bot${token}/sendMessage`);
    expect(json).toEqual({
      chat_id: '-100123',
      message_thread_id: 7,
      text: `❌ ${failure.title}\n${failure.text}`,
      disable_notification: false,
      link_preview_options: { is_disabled: true },
    });
  });

  test('keeps to 4096 characters and is silent about successes', async () => {
    const options = { token, chatId: 5, server: receiver.url };
    expect((await payload(telegramType, options, long)).json.text.length).toBeLessThanOrEqual(4096);
    expect((await payload(telegramType, options, success)).json.disable_notification).toBe(true);
  });

  test.each([[{ token: 'abc', chatId: 1 }], [{ token, chatId: 'my chat' }]])('refuses %j', (options) =>
    expect(telegramType.options.safeParse(options).success).toBe(false));
});

describe('ntfy', () => {
  test('publishes as JSON to the root, with token and priority', async () => {
    const options = { topic: 'shop_backups', server: receiver.url, token: 'tk_canary' };
    const { json, path, headers } = await payload(ntfyType, options, failure);
    expect(path).toBe('/');
    expect(headers?.authorization).toBe('Bearer tk_canary');
    const { text: message } = failure;
    expect(json).toEqual({ topic: 'shop_backups', title: `❌ ${failure.title}`, message, priority: 5 });
  });

  test('keeps to 4096 bytes, no character cut in half', async () => {
    for (const shift of ['', 'a', 'ab', 'abc', 'abcd', 'abcde']) {
      const cut = { ...long, text: shift + long.text };
      const { json } = await payload(ntfyType, { topic: 't', server: receiver.url }, cut);
      expect(Buffer.byteLength(json.message)).toBeLessThanOrEqual(4096);
      expect(json.message).not.toContain('\uFFFD');
      expect(json.message).toMatch(/…$/);
    }
  });
});

describe('a service that answers', () => {
  const secret = 'canary-3Hq81xZ0';
  const given = (url: string): readonly (readonly [NotificationType, Record<string, unknown>])[] => [
    [webhookType, { url: `${url}/${secret}` }],
    [heartbeatType, { url: `${url}/${secret}` }],
    [slackType, { url: `${url}/services/${secret}` }],
    [discordType, { url: `${url}/api/webhooks/${secret}` }],
    [teamsType, { url: `${url}/workflows/x?sig=${secret}` }],
    [telegramType, { token: `123456:${secret}`, chatId: 5, server: url }],
    [ntfyType, { topic: 't', token: secret, server: url }],
  ];

  async function expectRetryable(reason: string, more: Record<string, unknown>): Promise<void> {
    for (const [type, options] of given(receiver.url)) {
      const sent = openChannel(type, { ...options, ...more }).send(failure);
      const error: unknown = await sent.catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'NOTIFICATION_FAILED', retryable: true });
      expect(String(error)).toContain(`${type.type} at 127.0.0.1:`);
      expect(String(error)).toContain(reason);
      expect(String(error)).not.toContain(secret);
    }
  }

  test('with 500 is worth another try for every kind of channel, and no secret is told', async () => {
    for (const _ of given('http://any')) receiver.answers.push({ status: 500, body: `oh no ${secret}` });
    await expectRetryable('answered 500 oh no', {});
    expect(receiver.received).toHaveLength(7);
  });

  test('with silence too', async () => {
    for (const _ of given('http://any')) receiver.answers.push({ status: 200, silent: true });
    await expectRetryable('did not answer within 0.05 s', { timeout: '50ms' });
  });
});
