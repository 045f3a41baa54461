/** Slack's incoming webhooks; the URL is the secret. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
import { z } from 'zod';
import { sendJson } from './http.ts';
import { cutText, headline, messenger, messengerFields } from './messenger.ts';
import type { NotificationType } from './notification.ts';
import { registerUrl, secretUrl } from './secret-url.ts';

/** Slack cuts at 40,000 and advises 4,000 characters. */
const longest = 4000;

const options = z.strictObject({ url: secretUrl(), ...messengerFields });

export const slackType: NotificationType<z.output<typeof options>> = {
  type: 'slack',
  options,
  open(given) {
    registerUrl(given.url);
    return messenger(given, (message, limits) => {
      const text = `*${escapeMarks(headline(message))}*\n${escapeMarks(cutText(message.text, longest))}`;
      return sendJson({ channel: 'slack', url: given.url, payload: { text }, ...limits });
    });
  },
};

/** The three characters that mean something to Slack; so nobody is mentioned by a table's name. */
function escapeMarks(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
