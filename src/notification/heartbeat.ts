/**
 * A monitor that raises the alarm when nothing comes, in the manner of Healthchecks: `url/start`, `url`, `url/fail`,
 * with the log's tail as body (https://healthchecks.io/docs/http_api/). For others each URL can be given; the one that
 * is not given is not called. It is told everything, every time.
 */
import { z } from 'zod';
import { duration } from '../value/duration.ts';
import { sendRequest } from './http.ts';
import { cutBytes } from './messenger.ts';
import type { Message, NotificationType } from './notification.ts';
import { registerUrl, secretUrl } from './secret-url.ts';

/** Healthchecks keeps the first 100,000 bytes. */
const longestBytes = 100_000;

const options = z
  .strictObject({
    url: secretUrl().optional().describe('Of a check in the manner of Healthchecks'),
    startUrl: secretUrl().optional(),
    successUrl: secretUrl().optional(),
    failureUrl: secretUrl().optional(),
    method: z.enum(['POST', 'GET']).default('POST').describe('GET sends no log'),
    warningAs: z.enum(['failure', 'success']).default('failure').describe('What suspect and partial backups count as'),
    timeout: duration().default(10_000),
  })
  .refine(({ url, successUrl }) => url !== undefined || successUrl !== undefined, 'needs url or successUrl');

export type HeartbeatOptions = z.output<typeof options>;

export const heartbeatType: NotificationType<HeartbeatOptions> = {
  type: 'heartbeat',
  options,
  open(given) {
    for (const url of [given.url, given.startUrl, given.successUrl, given.failureUrl]) {
      if (url !== undefined) registerUrl(url);
    }
    return {
      events: ['start', 'success', 'failure', 'recovery', 'warning', 'test'],
      cooldownMs: 0,
      send(message, { signal } = {}) {
        const url = urlFor(message, given);
        if (url === undefined) return Promise.resolve(`no URL for ${message.event}`);
        const body = given.method === 'POST' ? bodyOf(message) : undefined;
        return sendRequest({ channel: 'heartbeat', url, method: given.method, body, timeoutMs: given.timeout, signal });
      },
    };
  },
};

function urlFor(message: Message, { url, warningAs, ...given }: HeartbeatOptions): string | undefined {
  const derived = (suffix: string) => url && withSuffix(url, suffix, message.executionId);
  const success = () => given.successUrl ?? derived('');
  const failure = () => given.failureUrl ?? derived('/fail');
  switch (message.event) {
    case 'start':
      return given.startUrl ?? derived('/start');
    case 'failure':
      return failure();
    case 'warning':
      return warningAs === 'failure' ? failure() : success();
    case 'test':
      // A log entry changes no state; another monitor can only be tried with the real thing.
      return derived('/log') ?? given.successUrl;
    default:
      return success();
  }
}

/** `rid` joins the start of a run to its end. */
function withSuffix(url: string, suffix: string, executionId: string | undefined): string {
  const address = new URL(url);
  address.pathname = address.pathname.replace(/\/$/, '') + suffix;
  if (executionId !== undefined) address.searchParams.set('rid', executionId);
  return address.href;
}

function bodyOf({ title, text, log }: Message): string {
  return cutBytes([title, text, '', ...log].join('\n'), longestBytes);
}
