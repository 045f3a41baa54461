/** Who is to blame for silence while we wait: `input` = we have nothing to write, `output` = our reader is slow. */
export type Hold = 'input' | 'output';

/**
 * Calls `expired` after `limitMs` without a `touch()`. Time during which anyone holds it does not count: a program that
 * waits for us has not stalled. Without a limit it does nothing.
 */
export class IdleTimer {
  readonly #holds = new Set<Hold>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number | undefined, expired: () => void) {
    if (limitMs === undefined) return;
    this.#timer = setTimeout(() => {
      // Expired while held: the release starts it anew.
      if (this.#holds.size === 0) expired();
    }, limitMs);
  }

  touch(): void {
    this.#timer?.refresh();
  }

  hold(by: Hold): void {
    this.#holds.add(by);
  }

  release(by: Hold): void {
    if (this.#holds.delete(by)) this.touch();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
