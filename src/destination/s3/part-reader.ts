/**
 * A stream in parts, as the plan cuts it.
 * Guarantees: parts being filled and parts not yet released together stay within the memory budget (spooled ones: two at
 * a time on the disk); the last part is known as such; a stream that breaks throws, so that no part looks like the last.
 */
import type { Readable } from 'node:stream';
import { BufferPool, MemoryPart, type Part, SpooledPart } from './part.ts';
import { defaultMemoryBytes, type PartPlan, type PlanWish, tooLarge } from './planner.ts';

export interface CutPart {
  readonly part: Part;
  /** From 1. */
  readonly number: number;
  readonly md5: Buffer;
  readonly last: boolean;
}

export class PartReader {
  readonly #plan: PartPlan;
  readonly #wish: PlanWish;
  readonly #folder: string | undefined;
  readonly #pool = new BufferPool();
  readonly #memory: number;
  #used = 0;
  #waiting: (() => void)[] = [];

  /** `folder`: where parts above half the memory go; the plan has such parts only when there is one. */
  constructor(plan: PartPlan, wish: PlanWish, folder: string | undefined) {
    this.#plan = plan;
    this.#wish = wish;
    this.#folder = folder;
    this.#memory = wish.memoryBytes ?? defaultMemoryBytes;
  }

  /** At least one part, the only one empty when the stream is. Whoever takes a part calls `release` with it. */
  async *cut(stream: Readable): AsyncGenerator<CutPart> {
    let number = 1;
    let part: Part | undefined = await this.#open(number);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        for (let rest = await part.append(chunk); rest.length > 0; rest = await part.append(rest)) {
          if (number === this.#plan.maxParts) {
            throw tooLarge(`more than ${this.#plan.capacity} bytes`, this.#plan, this.#wish);
          }
          const full: Part = part;
          part = undefined;
          yield { part: full, number, md5: full.digest(), last: false };
          number += 1;
          part = await this.#open(number);
        }
      }
      const rest = part;
      part = undefined;
      yield { part: rest, number, md5: rest.digest(), last: true };
    } finally {
      if (part !== undefined) await this.release(part);
    }
  }

  async release(part: Part): Promise<void> {
    await part.release();
    this.#used -= this.#cost(part.size);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #open(number: number): Promise<Part> {
    const size = this.#plan.sizeOf(number - 1);
    while (this.#used > 0 && this.#used + this.#cost(size) > this.#memory) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#used += this.#cost(size);
    const inMemory = size <= this.#memory / 2 || this.#folder === undefined;
    return inMemory ? new MemoryPart(size, this.#pool) : SpooledPart.create(size, this.#folder ?? '');
  }

  #cost(size: number): number {
    return Math.min(size, Math.floor(this.#memory / 2));
  }
}
