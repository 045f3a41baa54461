/**
 * Cuts a stream of unknown length into the parts of a multipart upload. Pure.
 * Guarantees: never more parts than the provider takes, no part outside 5 MiB to 5 GiB, and none above half the memory
 * budget unless it may be spooled to disk; sizes start small and double every tenth of the allowed parts, so that small
 * backups cost little memory and 10,000 parts reach 867 GiB within 256 MiB.
 * Refuses: an expected size that cannot fit, before anything is sent, with the way out.
 */
import { DbBackupError } from '../../errors.ts';

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/** S3 User Guide, "Amazon S3 multipart upload limits"; together they make the largest object, 48.8 TiB. */
export const mostParts = 10_000;
export const smallestPartBytes = 5 * mebibyte;
export const maxPartBytes = 5 * gibibyte;

export const defaultMemoryBytes = 256 * mebibyte;
/** Two parts of the smallest size. */
export const smallestMemoryBytes = 10 * mebibyte;
const usualFirstPart = 8 * mebibyte;
const stepsOfGrowth = 10;
/** The estimate is a guess, mostly a low one; where there is room we prepare for so many times as much. */
const caution = 4;

export interface PlanWish {
  readonly estimatedBytes?: number;
  /** Bytes of the first part, when the user chose them. */
  readonly partBytes?: number;
  readonly maxParts?: number;
  readonly uniform?: boolean;
  readonly memoryBytes?: number;
  /** Parts above half the memory may go over the disk. */
  readonly spool?: boolean;
}

export interface PartPlan {
  readonly maxParts: number;
  /** Largest object that fits. */
  readonly capacity: number;
  /** Bytes of part `index`, from 0; the last part of an upload may be smaller. */
  sizeOf(index: number): number;
}

/** Throws DESTINATION_FAILED when the expected bytes cannot fit. */
export function planParts(wish: PlanWish): PartPlan {
  const inMemory = Math.floor((wish.memoryBytes ?? defaultMemoryBytes) / 2);
  // Nobody knows how big the equal parts of an unknown length must be: as big as memory allows, no disk for small ones.
  const blind = wish.uniform === true && wish.estimatedBytes === undefined;
  const largest = Math.min(maxPartBytes, wish.spool && !blind ? maxPartBytes : inMemory);
  const wanted = blind ? Number.POSITIVE_INFINITY : (wish.estimatedBytes ?? 0) * caution;
  const plans = firstParts(wish, largest).map((first) => planFrom(first, largest, wish));
  const roomiest = plans.reduce((best, plan) => (plan.capacity > best.capacity ? plan : best));
  const plan = plans.find(({ capacity }) => capacity >= wanted) ?? roomiest;
  if ((wish.estimatedBytes ?? 0) > plan.capacity)
    throw tooLarge(`about ${inGibibytes(wish.estimatedBytes ?? 0)}`, plan, wish);
  return plan;
}

/** The error for bytes that do not fit into the plan. */
export function tooLarge(bytes: string, plan: PartPlan, wish: PlanWish): DbBackupError {
  const limits = `${plan.maxParts} parts of at most ${Math.floor(plan.sizeOf(plan.maxParts - 1) / mebibyte)} MiB`;
  const hint = wish.spool
    ? 'Split the backup into several jobs, or choose a store that takes more parts (multipart.maxParts).'
    : 'Set `spool` to a folder, so that larger parts go over the disk, or raise multipart.memory or multipart.maxParts.';
  return new DbBackupError('DESTINATION_FAILED', `${bytes} do not fit: ${limits} hold ${inGibibytes(plan.capacity)}`, {
    hint,
  });
}

/** Candidates for the first part, smallest first. */
function firstParts({ partBytes }: PlanWish, largest: number): number[] {
  if (partBytes !== undefined) return [Math.min(partBytes, largest)];
  const sizes: number[] = [];
  for (let size = usualFirstPart; size < largest; size *= 2) sizes.push(size);
  return [...sizes, largest];
}

function planFrom(first: number, largest: number, { maxParts = mostParts, uniform }: PlanWish): PartPlan {
  const step = Math.ceil(maxParts / stepsOfGrowth);
  const sizeOf = (index: number) => (uniform ? first : Math.min(largest, first * 2 ** Math.floor(index / step)));
  let capacity = 0;
  for (let start = 0; start < maxParts; start += step) capacity += sizeOf(start) * Math.min(step, maxParts - start);
  return { maxParts, capacity, sizeOf };
}

function inGibibytes(bytes: number): string {
  return `${(bytes / gibibyte).toFixed(1)} GiB`;
}
