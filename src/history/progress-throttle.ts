/** Lets the progress of each execution through at most twice a second; what it holds back is merged, never lost. */
import type { Progress } from './history.ts';

const intervalMs = 500;

export class ProgressThrottle {
  readonly #heldBack = new Map<string, Progress>();
  readonly #passedAt = new Map<string, number>();

  /** The merged progress when it may be written now. */
  offer(id: string, progress: Progress): Progress | undefined {
    this.#heldBack.set(id, merge(this.#heldBack.get(id), progress));
    const now = performance.now();
    if (now - (this.#passedAt.get(id) ?? Number.NEGATIVE_INFINITY) < intervalMs) return undefined;
    this.#passedAt.set(id, now);
    return this.take(id);
  }

  /** Hands out what is held back. */
  take(id: string): Progress | undefined {
    const progress = this.#heldBack.get(id);
    this.#heldBack.delete(id);
    return progress;
  }

  forget(id: string): void {
    this.#heldBack.delete(id);
    this.#passedAt.delete(id);
  }

  get waiting(): readonly string[] {
    return [...this.#heldBack.keys()];
  }
}

function merge(older: Progress | undefined, newer: Progress): Progress {
  return {
    step: newer.step ?? older?.step,
    rawBytes: newer.rawBytes ?? older?.rawBytes,
    storedBytes: newer.storedBytes ?? older?.storedBytes,
    estimatedBytes: newer.estimatedBytes ?? older?.estimatedBytes,
  };
}
