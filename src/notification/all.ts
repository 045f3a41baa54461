/** Every kind of notification. A new one is a file beside this one and a line here. */
import { discordType } from './discord.ts';
import { emailType } from './email.ts';
import { heartbeatType } from './heartbeat.ts';
import type { NotificationType } from './notification.ts';
import { ntfyType } from './ntfy.ts';
import { prometheusType } from './prometheus.ts';
import { slackType } from './slack.ts';
import { teamsType } from './teams.ts';
import { telegramType } from './telegram.ts';
import { webhookType } from './webhook.ts';

export const notificationTypes: readonly NotificationType[] = [
  webhookType,
  emailType,
  heartbeatType,
  prometheusType,
  slackType,
  discordType,
  teamsType,
  telegramType,
  ntfyType,
];
