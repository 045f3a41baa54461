/**
 * Microsoft Teams: the workflow "When a Teams webhook request is received", which takes Adaptive Cards; the URL is the
 * secret. https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
import { z } from 'zod';
import { sendJson } from './http.ts';
import { cutBytes, headline, messenger, messengerFields } from './messenger.ts';
import type { Message, NotificationType } from './notification.ts';
import { registerUrl, secretUrl } from './secret-url.ts';

/** A message may have 28 kB, and JSON makes up to six bytes of one. */
const longestBytes = 4000;

const options = z.strictObject({ url: secretUrl(), ...messengerFields });

export const teamsType: NotificationType<z.output<typeof options>> = {
  type: 'teams',
  options,
  open(given) {
    registerUrl(given.url);
    return messenger(given, (message, limits) => {
      return sendJson({
        channel: 'teams',
        url: given.url,
        payload: { type: 'message', attachments: [card(message)] },
        ...limits,
      });
    });
  },
};

function card(message: Message) {
  const color = {
    failure: 'Attention',
    warning: 'Warning',
    success: 'Good',
    recovery: 'Good',
    start: 'Default',
    test: 'Default',
  };
  const title = {
    type: 'TextBlock',
    text: headline(message),
    weight: 'Bolder',
    size: 'Medium',
    color: color[message.event],
    wrap: true,
  };
  // One line end is a space in a card's Markdown.
  const text = { type: 'TextBlock', text: cutBytes(message.text, longestBytes).replaceAll('\n', '\n\n'), wrap: true };
  return {
    contentType: 'application/vnd.microsoft.card.adaptive',
    contentUrl: null,
    content: {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      body: [title, text],
    },
  };
}
