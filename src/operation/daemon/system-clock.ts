import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../schedule/scheduler.ts';

export const systemClock: Clock = {
  now: () => new Date(),
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};
