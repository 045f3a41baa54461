import { afterEach, describe, expect, test } from 'vitest';
import { emailType } from '../../../src/notification/email.ts';
import { type SmtpOptions, type SmtpReceiver, startSmtpReceiver } from '../../servers/smtp-receiver.ts';
import { failure, openChannel } from './sample.ts';

let receiver: SmtpReceiver | undefined;
afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

const password = 'canary-mail-7Tq9';
const addresses = { from: 'Backups <backup@example.org>', to: ['ops@example.org', 'Boss <boss@example.org>'] };

async function start(options: SmtpOptions): Promise<SmtpReceiver> {
  receiver = await startSmtpReceiver(options);
  return receiver;
}

function send(to: SmtpReceiver, options: Record<string, unknown> = {}) {
  return openChannel(emailType, { host: '127.0.0.1', port: to.port, ...addresses, ...options }).send(failure);
}

describe('email', () => {
  test.each(['starttls', 'tls'] as const)('by %s, with a login', async (security) => {
    const to = await start({ security });
    const answer = await send(to, { security, user: 'backup', password, caFile: to.caFile });
    expect(answer).toBe('250 queued as 42');
    expect(to.mails).toHaveLength(1);
    const [mail] = to.mails;
    const login = { user: 'backup', password, encrypted: true };
    expect(mail).toMatchObject({ from: 'backup@example.org', to: ['ops@example.org', 'boss@example.org'], ...login });
    expect(mail?.data).toMatch(/^From: Backups <backup@example\.org>$/m);
    expect(subjectOf(mail?.data)).toBe(`[dbbackup] ❌ ${failure.title}`);
    expect(mail?.data).toMatch(/^Auto-Submitted: auto-generated/m);
    expect(mail?.data).toContain('TOOL_FAILED: pg_dump said "no"');
    expect(mail?.data).toContain('pg_dump: oh no');
  });

  test('unencrypted, where that is asked for', async () => {
    const to = await start({ security: 'none' });
    await send(to, { security: 'none' });
    expect(to.mails[0]).toMatchObject({ encrypted: false, user: undefined });
  });

  test('refuses to go on without STARTTLS', async () => {
    const to = await start({ security: 'none' });
    await expect(send(to, { user: 'backup', password })).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' });
    expect(to.commands.some((line) => /^(AUTH|MAIL)/.test(line))).toBe(false);
  });

  test('refuses a certificate that nobody vouches for', async () => {
    const to = await start({ security: 'tls' });
    const sent = send(to, { security: 'tls', user: 'backup', password });
    await expect(sent).rejects.toThrow(/self.signed certificate/);
    expect(to.commands).toEqual([]);
  });

  test.each([
    ['a wrong password', { AUTH: ['535 5.7.8 no'] }, false],
    ['a refused sender', { MAIL: ['550 no'] }, false],
    ['a full disk', { MAIL: ['452 later'] }, true],
    ['a refused message', { end: ['554 spam'] }, false],
    ['one refused recipient', { RCPT: ['250 ok', '550 who?'] }, false],
  ])('fails at %s', async (_, answers, retryable) => {
    const to = await start({ security: 'starttls', answers });
    const sent = send(to, { user: 'backup', password, caFile: to.caFile });
    await expect(sent).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED', retryable });
  });

  test.each(['greeting', 'EHLO', 'end'])('ends at its time limit when silence follows %s', async (command) => {
    const to = await start({ security: 'none', answers: { [command]: [''] } });
    const sent = send(to, { security: 'none', timeout: '200ms' });
    await expect(sent).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED', retryable: true });
  });

  test('fails where nobody listens', async () => {
    const to = await start({ security: 'none' });
    await to.close();
    receiver = undefined;
    await expect(send(to, { security: 'none' })).rejects.toMatchObject({ retryable: true });
  });

  test('F38 no password in an error, even when the server repeats it', async () => {
    const base64 = Buffer.from(`\0backup\0${password}`).toString('base64');
    const to = await start({ security: 'starttls', answers: { AUTH: [`535 no: ${base64} ${password}`] } });
    const error: unknown = await send(to, { user: 'backup', password, caFile: to.caFile }).catch((thrown) => thrown);
    expect(String(error)).toContain('535 no');
    expect(JSON.stringify([String(error), error, (error as Error).stack])).not.toContain(password);
    expect(String(error)).not.toContain(base64);
  });
});

describe('its options', () => {
  test.each([
    [{ host: 'mail.example.org', security: 'none', user: 'a', password: 'b' }],
    [{ host: 'mail.example.org', user: 'a' }],
    [{ host: 'mail.example.org', to: 'nobody' }],
    [{ host: 'mail.example.org', from: 'a@b\r\nBcc: c@d' }],
  ])('refuse %j', (options) => {
    expect(emailType.options.safeParse({ ...addresses, ...options }).success).toBe(false);
  });
});

/** RFC 2047, and folded lines. */
function subjectOf(data = ''): string {
  const [, raw = ''] = /^Subject: ((?:.*\r\n)(?:[ \t].*\r\n)*)/m.exec(data) ?? [];
  return raw
    .replaceAll(/\r\n[ \t]/g, ' ')
    .trim()
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?UTF-8\?B\?([^?]*)\?=/gi, (_, text: string) => Buffer.from(text, 'base64').toString())
    .replaceAll(/=\?UTF-8\?Q\?([^?]*)\?=/gi, (_, text: string) => {
      const bytes = text.replaceAll('_', ' ').replaceAll(/=([0-9A-F]{2})/gi, (__, hex: string) => `%${hex}`);
      return decodeURIComponent(bytes.replaceAll(/%(?![0-9A-F]{2})/gi, '%25'));
    });
}
