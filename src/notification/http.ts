/**
 * One HTTP request of a channel, by Node's own fetch. Guarantees: it ends within its time limit; a redirect is never
 * followed, because it would carry the secret to another host; no URL but its host is in any message.
 */
import { messageOf } from '../errors.ts';
import { NotificationFailure } from './failure.ts';
import { withTimeLimit } from './time-limit.ts';

/** Enough of an answer to tell what was wrong, in bytes. */
const answerLimit = 4096;

export interface HttpRequest {
  /** The kind of channel, for messages. */
  readonly channel: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Resolves with status and answer (`200 ok`) of a 2xx; throws NOTIFICATION_FAILED. */
export async function sendRequest({ channel, url, timeoutMs, signal, ...init }: HttpRequest): Promise<string> {
  const who = `${channel} at ${new URL(url).host}`;
  return await withTimeLimit(who, timeoutMs, signal, async (limit) => {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: limit }).catch((error: unknown) => {
      throw new NotificationFailure(`${who} cannot be reached: ${reasonOf(error)}`, { retryable: true });
    });
    const answer = `${response.status} ${await textOf(response)}`.trim();
    if (response.ok) return answer;
    throw refusal(who, response, answer);
  });
}

/** A POST of JSON, which most services take. */
export function sendJson(request: HttpRequest & { readonly payload: unknown }): Promise<string> {
  const { payload, headers, ...rest } = request;
  return sendRequest({
    method: 'POST',
    ...rest,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(payload),
  });
}

function refusal(who: string, response: Response, answer: string): NotificationFailure {
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    const hint = 'Redirects are not followed: give the final URL.';
    return new NotificationFailure(`${who} answered with a redirect (${status})`, { retryable: false, hint });
  }
  const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  return new NotificationFailure(`${who} answered ${answer}`, { retryable, retryAfterMs });
}

/** "fetch failed" says nothing; its cause has a code (ECONNREFUSED, CERT_HAS_EXPIRED …). */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown; message?: string } }).cause;
  return [cause?.code, cause?.message].filter(Boolean).join(' ') || messageOf(error);
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > answerLimit) break;
  }
  const text = Buffer.concat(chunks).subarray(0, answerLimit).toString('utf8');
  return text.replaceAll(/\s+/g, ' ').trim();
}
