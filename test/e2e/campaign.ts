/** Random trials that can be repeated: their number and seed come from the environment, and the seed is printed. */
import { randomInt } from 'node:crypto';

export interface Campaign {
  readonly rounds: number;
  readonly seed: number;
  /** A number in [0, 1). */
  random(): number;
  /** A whole number in [0, below). */
  below(limit: number): number;
  pick<Value>(values: readonly Value[]): Value;
}

/** DBBACKUP_TEST_ROUNDS (else `rounds`) and DBBACKUP_TEST_SEED (else any). */
export function openCampaign(name: string, rounds: number): Campaign {
  const { DBBACKUP_TEST_ROUNDS, DBBACKUP_TEST_SEED } = process.env;
  const seed = Number(DBBACKUP_TEST_SEED ?? randomInt(1, 2 ** 31));
  const campaign = { rounds: Number(DBBACKUP_TEST_ROUNDS ?? rounds), seed };
  process.stdout.write(`${name}: ${campaign.rounds} rounds, DBBACKUP_TEST_SEED=${seed}\n`);
  const random = mulberry32(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  return { ...campaign, random, below, pick: (values) => values[below(values.length)] as (typeof values)[number] };
}

/** Small, seeded, the same everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
