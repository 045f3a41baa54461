/** Every kind of notification. A new one is a file beside this one and a line here. */
import type { NotificationType } from './notification.ts';

export const notificationTypes: readonly NotificationType[] = [];
