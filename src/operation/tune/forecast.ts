/**
 * What a whole run would take with each candidate, and which of them to take. In a stream everything happens at once, so
 * the slowest part alone decides: the dump, the compression, a destination, or processors that must do all of it.
 */
import type { Candidate } from './candidate.ts';
import type { Tried } from './try-codec.ts';

export type Limit = 'dump' | 'compression' | 'destination' | 'processors';
export type Preference = 'balance' | 'size' | 'speed';

export interface Circumstances {
  /** Raw bytes a second that the source gives. */
  readonly dumpRate: number;
  /** Processor seconds of this machine a raw byte of the dump. */
  readonly dumpCost: number;
  /** Before the first byte. */
  readonly prepareSeconds: number;
  /** Stored bytes a second that the slowest destination takes; undefined = not known. */
  readonly uploadRate?: number;
  /** Processors. */
  readonly free: number;
  /** Raw bytes of the whole dump; undefined = not known. */
  readonly totalBytes?: number;
}

export interface Forecast extends Tried {
  /** Raw bytes a second of the whole run. */
  readonly runRate: number;
  readonly limit: Limit;
  /** Of the whole run. */
  readonly seconds?: number;
  readonly storedBytes?: number;
}

/** What a run may take longer than the quickest one, for a smaller backup. */
interface Tolerance {
  readonly share: number;
  /** Nobody waits for it, whatever the share. */
  readonly seconds: number;
}

const tolerances: Readonly<Record<Preference, Tolerance>> = {
  balance: { share: 0.1, seconds: 1 },
  speed: { share: 0.03, seconds: 0.2 },
  size: { share: Number.POSITIVE_INFINITY, seconds: 0 },
};
/** Where nobody knows how much there is to dump. */
const assumedBytes = 10e9;
/** Sizes this close are the same size: then the one that costs the processors less. */
const sameSize = 0.01;

export function forecast(tried: Tried, given: Circumstances): Forecast {
  const rates: Readonly<Record<Limit, number>> = {
    dump: given.dumpRate,
    destination: (given.uploadRate ?? Number.POSITIVE_INFINITY) / tried.share,
    compression: tried.rate,
    processors: given.free / Math.max(Number.MIN_VALUE, given.dumpCost + tried.cost),
  };
  const [limit = 'dump', runRate = given.dumpRate] = (Object.entries(rates) as [Limit, number][]).reduce(
    (slowest, each) => (each[1] < slowest[1] ? each : slowest),
  );
  const { totalBytes, prepareSeconds } = given;
  if (totalBytes === undefined) return { ...tried, runRate, limit };
  const seconds = prepareSeconds + totalBytes / runRate;
  return { ...tried, runRate, limit, seconds, storedBytes: totalBytes * tried.share };
}

export interface Recommendation {
  readonly candidate: Candidate;
  /** One sentence without its end. */
  readonly why: string;
}

/** `forecasts`: at least one. */
export function recommend(forecasts: readonly Forecast[], prefer: Preference): Recommendation {
  const { share, seconds } = tolerances[prefer];
  const best = Math.min(...forecasts.map(timeOf));
  const quick = forecasts.filter((each) => timeOf(each) <= best * (1 + share) + seconds);
  const smallest = Math.min(...quick.map((each) => each.share));
  const equal = quick.filter((each) => each.share <= smallest * (1 + sameSize));
  const chosen = equal.reduce((one, other) => (other.cost < one.cost ? other : one));
  return { candidate: chosen.candidate, why: reason(chosen, prefer) };
}

function timeOf({ seconds, runRate }: Forecast): number {
  return seconds ?? assumedBytes / runRate;
}

function reason({ limit }: Forecast, prefer: Preference): string {
  if (prefer === 'size') return 'the smallest of all, whatever time it takes';
  if (limit === 'destination') return 'the destination is what takes the time, so the smallest is the quickest';
  if (limit === 'dump') return 'the smallest that keeps up with the dump: a weaker one would not be quicker';
  const { share, seconds } = tolerances[prefer];
  return `the smallest of those whose run takes no more than ${Math.round(share * 100)}% (or ${seconds} s) longer than the quickest`;
}
