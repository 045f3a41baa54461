/**
 * E-mail by SMTP (RFC 5321): STARTTLS is required, not merely tried, unless the options say otherwise. Guarantees: a
 * password is never sent unencrypted to another machine; a message is sent as plain text, one e-mail to all recipients.
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { registerSecret } from '../redact.ts';
import { NotificationFailure } from './failure.ts';
import { cutText, headline, messenger, messengerFields } from './messenger.ts';
import type { Message, NotificationType } from './notification.ts';
import { withTimeLimit } from './time-limit.ts';

const ports = { starttls: 587, tls: 465, none: 25 } as const;
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;
const address = z
  .string()
  .min(3)
  .regex(/^[^\r\n]*@[^\r\n]*$/, 'must be an address: ops@example.org or Ops <ops@example.org>');

const options = z
  .strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65535).optional().describe('Default 587 (starttls), 465 (tls), 25 (none)'),
    security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
    user: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
    caFile: z.string().min(1).optional().describe('Certificate (PEM) of an authority of your own'),
    from: address,
    to: z.union([address.transform((one) => [one]), z.array(address).min(1)]),
    ...messengerFields,
  })
  .refine(
    ({ user, password }) => (user === undefined) === (password === undefined),
    'needs user and password, or neither',
  )
  .refine(({ security, password, host }) => security !== 'none' || password === undefined || loopback.test(host), {
    message: 'would send the password unencrypted: use security starttls or tls',
    path: ['security'],
  });

export type EmailOptions = z.output<typeof options>;

export const emailType: NotificationType<EmailOptions> = {
  type: 'email',
  options,
  open(given, baseFolder) {
    registerLogin(given);
    return messenger(given, (message, { timeoutMs, signal }) => {
      return withTimeLimit(`email by ${given.host}`, timeoutMs, signal, (limit) =>
        send(message, given, baseFolder, limit),
      );
    });
  },
};

async function send(message: Message, given: EmailOptions, baseFolder: string, signal: AbortSignal): Promise<string> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    ...(await connection(given, baseFolder)),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const subject = cutText(`[dbbackup] ${headline(message)}`, 200);
    const { response, rejected } = await transport.sendMail({
      from: given.from,
      to: [...given.to],
      subject,
      text: bodyOf(message),
      // RFC 3834: no answer from somebody's holidays.
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal,
    });
    const count = rejected.length;
    if (count > 0)
      throw new NotificationFailure(`email by ${given.host}: ${count} of the recipients were refused`, {
        retryable: false,
      });
    return response;
  } catch (error) {
    throw error instanceof NotificationFailure ? error : failureOf(error, given.host);
  } finally {
    transport.close();
  }
}

async function connection(given: EmailOptions, baseFolder: string) {
  const { host, security, user, password, caFile, timeout } = given;
  return {
    host,
    port: given.port ?? ports[security],
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    auth: user === undefined ? undefined : { user, pass: password },
    tls: {
      ca: caFile === undefined ? undefined : await readFile(resolve(baseFolder, caFile)),
      servername: isIP(host) ? undefined : host,
      minVersion: 'TLSv1.2' as const,
    },
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    socketCloseTimeout: 0,
  };
}

/** A reply of 5xx is final (RFC 5321, 4.2.1); without a reply it was the network. */
function failureOf(error: unknown, host: string): NotificationFailure {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  const final = code === 'EAUTH' || code === 'ECONFIG' || code === 'ETLS' || code === 'ENOENT' || code === 'EENVELOPE';
  const retryable = responseCode === undefined ? !final : responseCode < 500;
  return new NotificationFailure(`email by ${host} failed: ${messageOf(error)}`, { retryable });
}

function bodyOf({ text, log, event }: Message): string {
  const tail = log.length === 0 || event === 'success' ? [] : ['', 'The last lines of the log:', '', ...log];
  return [text, ...tail, ''].join('\n');
}

/** Also as it goes over the wire, since a server may repeat that. */
function registerLogin({ user = '', password }: EmailOptions): void {
  if (password === undefined) return;
  for (const secret of [
    password,
    Buffer.from(password).toString('base64'),
    Buffer.from(`\0${user}\0${password}`).toString('base64'),
  ]) {
    registerSecret(secret);
  }
}
