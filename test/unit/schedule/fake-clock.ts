import { setImmediate as breathe } from 'node:timers/promises';
import type { Clock } from '../../../src/schedule/scheduler.ts';

interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

/** A clock that a test moves; whoever waits is woken in the order of the times. */
export class FakeClock implements Clock {
  readonly #alarms = new Set<Alarm>();
  #now: number;

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#now);
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const alarm = { at: this.#now + ms, ring: resolve };
      this.#alarms.add(alarm);
      signal?.addEventListener('abort', () => {
        this.#alarms.delete(alarm);
        resolve();
      });
    });
  }

  /** Lets time pass, and everybody do what they do in it. */
  async goTo(time: string): Promise<void> {
    const end = Date.parse(time);
    for (;;) {
      await breathe();
      const [next] = [...this.#alarms].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.ring();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Sets the clock, as somebody with the rights would, or as it is found after a sleep: then everybody wakes. */
  async set(time: string): Promise<void> {
    this.#now = Date.parse(time);
    const alarms = [...this.#alarms];
    this.#alarms.clear();
    for (const alarm of alarms) alarm.ring();
    await breathe();
  }
}
