/** Discord's webhooks; the URL is the secret. https://docs.discord.com/developers/resources/webhook#execute-webhook */
import { z } from 'zod';
import { sendJson } from './http.ts';
import { cutText, headline, messenger, messengerFields } from './messenger.ts';
import type { NotificationType } from './notification.ts';
import { registerUrl, secretUrl } from './secret-url.ts';

/** Characters of `content`; a longer one is refused whole. */
const longest = 2000;

const options = z.strictObject({ url: secretUrl(), ...messengerFields });

export const discordType: NotificationType<z.output<typeof options>> = {
  type: 'discord',
  options,
  open(given) {
    registerUrl(given.url);
    return messenger(given, (message, limits) => {
      const content = cutText(`**${headline(message)}**\n${message.text}`, longest);
      // Nobody is mentioned by a table's name.
      const payload = { content, allowed_mentions: { parse: [] } };
      return sendJson({ channel: 'discord', url: given.url, payload, ...limits });
    });
  },
};
