/**
 * Any HTTP endpoint. The body is the message as JSON, or a template. With `secret` the body is signed: the header holds
 * `sha256=` and the HMAC-SHA256 of the bytes sent, in hex, as GitHub signs its webhooks.
 */
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { registerSecret } from '../redact.ts';
import { sendRequest } from './http.ts';
import { messenger, messengerFields } from './messenger.ts';
import type { Message, NotificationType } from './notification.ts';
import { registerUrl, secretUrl } from './secret-url.ts';
import { placeholders, renderTemplate, unknownPlaceholders } from './template.ts';

const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'is no name of a header');

const options = z.strictObject({
  url: secretUrl(),
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST'),
  headers: z.record(headerName, z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'is no value of a header')).default({}),
  body: z
    .string()
    .refine((template) => unknownPlaceholders(template).length === 0, {
      error: ({ input }) =>
        `has no value for {{${unknownPlaceholders(String(input)).join('}}, {{')}}} (there is ${placeholders.join(', ')})`,
    })
    .optional()
    .describe('A template with {{placeholders}}; without it the whole message as JSON'),
  secret: z.string().min(1).optional().describe('Key of the HMAC-SHA256 signature'),
  signatureHeader: headerName.default('X-Signature-256'),
  ...messengerFields,
});

export type WebhookOptions = z.output<typeof options>;

export const webhookType: NotificationType<WebhookOptions> = { type: 'webhook', options, open: openWebhook };

function openWebhook(given: WebhookOptions) {
  registerUrl(given.url);
  if (given.secret !== undefined) registerSecret(given.secret);
  const headers = new Headers(given.headers);
  if (!headers.has('content-type')) headers.set('Content-Type', 'application/json');
  registerHeaders(headers);
  return messenger(given, (message, limits) => {
    const body = bodyOf(message, given.body, headers.get('content-type') ?? '');
    const signed = new Headers(headers);
    if (given.secret !== undefined) signed.set(given.signatureHeader, sign(body, given.secret));
    const { url, method } = given;
    return sendRequest({ channel: 'webhook', url, method, headers: Object.fromEntries(signed), body, ...limits });
  });
}

function bodyOf(message: Message, template: string | undefined, contentType: string): string {
  return template === undefined ? JSON.stringify(message) : renderTemplate(template, message, contentType);
}

function sign(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** `Bearer abc` is as secret as its last word. */
function registerHeaders(headers: Headers): void {
  for (const [name, value] of headers) {
    if (/^(content-type|accept|user-agent)$/.test(name)) continue;
    registerSecret(value);
    registerSecret(value.split(' ').at(-1) ?? value);
  }
}
