/** ntfy, hosted or of your own; who knows the topic can read it. https://docs.ntfy.sh/publish/#publish-as-json */
import { z } from 'zod';
import { registerSecret } from '../redact.ts';
import { sendJson } from './http.ts';
import { cutBytes, headline, messenger, messengerFields } from './messenger.ts';
import type { NotificationEvent, NotificationType } from './notification.ts';

/** A message may have 4096 bytes; what is longer becomes an attachment. */
const longestBytes = 4000;
const priorities: Readonly<Record<NotificationEvent, 1 | 2 | 3 | 4 | 5>> = {
  failure: 5,
  warning: 4,
  recovery: 3,
  test: 3,
  success: 2,
  start: 1,
};

const options = z.strictObject({
  topic: z.string().regex(/^[\w-]{1,64}$/, 'has up to 64 letters, digits, dashes and underscores'),
  server: z.url({ protocol: /^https?$/ }).default('https://ntfy.sh'),
  token: z.string().min(1).optional().describe('Access token, where the topic is protected'),
  ...messengerFields,
});

export const ntfyType: NotificationType<z.output<typeof options>> = {
  type: 'ntfy',
  options,
  open({ topic, server, token, ...given }) {
    // A plain word is no secret, and hiding it would make every other text unreadable.
    if (/^(?=.*\d).{12,}$/.test(topic)) registerSecret(topic);
    if (token !== undefined) registerSecret(token);
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return messenger(given, (message, limits) => {
      const text = cutBytes(message.text, longestBytes);
      const payload = { topic, title: headline(message), message: text, priority: priorities[message.event] };
      return sendJson({ channel: 'ntfy', url: server, payload, headers, ...limits });
    });
  },
};
