/** A Telegram bot's sendMessage; the token is the secret, and part of the URL. https://core.telegram.org/bots/api#sendmessage */
import { z } from 'zod';
import { registerSecret } from '../redact.ts';
import { sendJson } from './http.ts';
import { cutText, headline, messenger, messengerFields } from './messenger.ts';
import type { NotificationType } from './notification.ts';

/** Characters of `text`. */
const longest = 4096;

const options = z.strictObject({
  token: z.string().regex(/^\d+:[\w-]+$/, 'is no token of a bot (123456:ABC…)'),
  chatId: z.union([z.int(), z.string().regex(/^(-?\d+|@\w+)$/, 'is a number or @channel')]),
  threadId: z.int().optional().describe('A topic of a forum group'),
  server: z
    .url({ protocol: /^https?$/ })
    .default('https://api.telegram.org')
    .describe('For a Bot API server of your own'),
  ...messengerFields,
});

export const telegramType: NotificationType<z.output<typeof options>> = {
  type: 'telegram',
  options,
  open({ token, chatId, threadId, server, ...given }) {
    registerSecret(token);
    const url = `${server.replace(/\/$/, '')}/bot${token}/sendMessage`;
    return messenger(given, (message, limits) => {
      const payload = {
        chat_id: chatId,
        message_thread_id: threadId,
        // Without parse_mode: no name of a table can be taken for markup.
        text: cutText(`${headline(message)}\n${message.text}`, longest),
        disable_notification: message.event === 'success',
        link_preview_options: { is_disabled: true },
      };
      return sendJson({ channel: 'telegram', url, payload, ...limits });
    });
  },
};
