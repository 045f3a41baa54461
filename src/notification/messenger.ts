/** What channels for people share: when they are told, how often, how long they may take, and the words. */
import { z } from 'zod';
import { duration } from '../value/duration.ts';
import {
  type Message,
  type Notification,
  type NotificationEvent,
  outcomeEvents,
  type SendOptions,
} from './notification.ts';

const event = z.enum(outcomeEvents);

/** Spread into the options of a channel. */
export const messengerFields = {
  on: z
    .union([event.transform((one) => [one]), z.array(event).min(1)])
    .default(['failure', 'recovery', 'warning'])
    .describe('What it is told: success, failure, recovery, warning'),
  cooldown: duration('zero allowed')
    .default(6 * 3_600_000)
    .describe('For so long the same failure or warning of a job is not told again; default 6h, 0s = always'),
  timeout: duration().default(10_000).describe('Longest time of one try; default 10s'),
};

export interface MessengerOptions {
  readonly on: readonly NotificationEvent[];
  readonly cooldown: number;
  readonly timeout: number;
}

/** `send` gets the options of one try. */
export function messenger(
  { on, cooldown, timeout }: MessengerOptions,
  send: (message: Message, limits: { readonly timeoutMs: number; readonly signal?: AbortSignal }) => Promise<string>,
): Notification {
  return {
    events: on.includes('success') ? [...on, 'recovery', 'test'] : [...on, 'test'],
    cooldownMs: cooldown,
    send: (message, { signal }: SendOptions = {}) => send(message, { timeoutMs: timeout, signal }),
  };
}

const marks = { success: '✅', recovery: '✅', failure: '❌', warning: '⚠️', start: '▶️', test: '🔔' } as const;

/** The title with a mark that is seen from afar. */
export function headline({ event, title }: Message): string {
  return `${marks[event]} ${title}`;
}

/** At most `limit` UTF-16 units, no character cut in half. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** At most `limit` bytes of UTF-8, no character cut in half. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  return `${new TextDecoder().decode(bytes.subarray(0, limit - 3)).replace(/\uFFFD$/, '')}…`;
}
