import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { webhookType } from '../../../src/notification/webhook.ts';
import { type HttpReceiver, startHttpReceiver } from '../../servers/http-receiver.ts';
import { failure, openChannel, success } from './sample.ts';

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await startHttpReceiver();
});
afterEach(() => receiver.close());

const open = (options: Record<string, unknown>) =>
  openChannel(webhookType, { url: `${receiver.url}/hook`, ...options });

describe('webhook', () => {
  test('posts the whole message as JSON and returns the answer', async () => {
    expect(await open({}).send(failure)).toBe('200 ok');
    const [request] = receiver.received;
    expect(request).toMatchObject({ method: 'POST', path: '/hook', headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(request?.body ?? '')).toEqual(JSON.parse(JSON.stringify(failure)));
  });

  test('signs the very bytes it sends', async () => {
    await open({ secret: 'hmac-key-1', signatureHeader: 'X-Sig' }).send({ ...failure, title: 'schön €' });
    const [request] = receiver.received;
    const expected = createHmac('sha256', 'hmac-key-1')
      .update(request?.body ?? '')
      .digest('hex');
    expect(request?.headers['x-sig']).toBe(`sha256=${expected}`);
    expect(request?.body).toContain('schön €');
  });

  test('sends method and headers of its own', async () => {
    await open({ method: 'PUT', headers: { Authorization: 'Bearer tok', 'X-Team': 'ops' } }).send(success);
    const headers = { authorization: 'Bearer tok', 'x-team': 'ops', 'content-type': 'application/json' };
    expect(receiver.received[0]).toMatchObject({ method: 'PUT', headers });
  });

  test('fills a template, escaped for JSON', async () => {
    await open({ body: '{"t":"{{ title }}","e":"{{error}}","n":{{durationMs}},"a":"{{artifact}}"}' }).send(failure);
    const body: unknown = JSON.parse(receiver.received[0]?.body ?? '');
    expect(body).toEqual({ t: failure.title, e: failure.error?.message, n: 12_345, a: '' });
  });

  test.each([
    ['text/plain', 'e={{error}}', 'e=pg_dump said "no" & <nothing> else'],
    ['application/x-www-form-urlencoded', 'e={{error}}', 'e=pg_dump%20said%20%22no%22%20%26%20%3Cnothing%3E%20else'],
    ['application/xml', '<e>{{error}}</e>', '<e>pg_dump said &#34;no&#34; &#38; &#60;nothing&#62; else</e>'],
  ])('fills a template, escaped for %s', async (type, template, expected) => {
    await open({ body: template, headers: { 'content-type': type } }).send(failure);
    expect(receiver.received[0]).toMatchObject({ body: expected, headers: { 'content-type': type } });
  });

  test('refuses unknown placeholders and other protocols when the config is read', () => {
    const result = webhookType.options.safeParse({ url: 'ftp://host/', body: '{{ titel }} {{job}} {{constructor}}' });
    const messages = result.error?.issues.map((issue) => issue.message).join('\n');
    expect(messages).toContain('{{titel}}, {{constructor}}');
    expect(messages).toContain('https://');
  });
});

describe('what a channel wants', () => {
  test('failures, recoveries and warnings, the same one every 6 hours, unless told otherwise', () => {
    const channel = open({});
    expect([...channel.events].sort()).toEqual(['failure', 'recovery', 'test', 'warning']);
    expect(channel.cooldownMs).toBe(6 * 3_600_000);
    expect(open({ on: 'failure', cooldown: '0s' })).toMatchObject({ events: ['failure', 'test'], cooldownMs: 0 });
  });

  test('who wants successes is told of recoveries', () => {
    expect(open({ on: ['success'] }).events).toContain('recovery');
  });

  test('nobody asks for starts', () => {
    expect(webhookType.options.safeParse({ url: receiver.url, on: ['start'] }).success).toBe(false);
  });
});
