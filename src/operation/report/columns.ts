/**
 * Runs gathered into columns of equal time, for charts of any width. Guarantees: no run is lost, the smallest and the
 * largest value of a column stay visible, and a time without runs is an empty column.
 */
import type { Run } from './report.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Column {
  readonly from: Date;
  /** The first moment of the next one. */
  readonly to: Date;
  readonly good: number;
  readonly warned: number;
  readonly failed: number;
  /** Of runs that published a backup; undefined without one. */
  readonly storedBytes?: Range;
  readonly rawBytes?: Range;
  readonly durationMs?: Range;
}

const dayMs = 86_400_000;
/** Fewer would make one run look like a wall. */
const fewest = 12;

/**
 * At most `most` columns from the first run of the period to `now`. Where runs come regularly each gets a column, and
 * stands in its middle, so that a run a little early or late makes no gap that was none. Empty without a run.
 * @param runs oldest first
 */
export function columnsOf(runs: readonly Run[], now: Date, most: number): readonly Column[] {
  const ended = runs.filter(({ outcome }) => outcome !== 'running');
  const first = ended[0]?.startedAt.getTime();
  if (first === undefined) return [];
  const last = Math.max(now.getTime(), ended.at(-1)?.startedAt.getTime() ?? first);
  const width = columnWidth(ended, last - first, most);
  const start = first - width / 2;
  const count = Math.min(most, Math.max(fewest, Math.floor((last - start) / width) + 1));
  // Few runs: they stand at the right, where now is.
  const begin = Math.min(start, start - (count - Math.floor((last - start) / width) - 1) * width);
  const columns = Array.from({ length: count }, (_, index) => new Gathering(begin + index * width, width));
  for (const run of ended) {
    const index = Math.floor((run.startedAt.getTime() - begin) / width);
    columns[Math.min(count - 1, Math.max(0, index))]?.add(run);
  }
  return columns.map((column) => column.close());
}

/** The usual gap between two runs, or more where that would make too many columns. */
function columnWidth(runs: readonly Run[], spanMs: number, most: number): number {
  const gaps = runs
    .slice(1)
    .map(({ startedAt }, index) => startedAt.getTime() - (runs[index]?.startedAt.getTime() ?? 0));
  gaps.sort((a, b) => a - b);
  const median = gaps[Math.floor(gaps.length / 2)] ?? dayMs;
  const usual = gaps.filter((gap) => gap >= median / 2 && gap <= median * 1.5);
  const mean = usual.length === 0 ? dayMs : usual.reduce((sum, gap) => sum + gap, 0) / usual.length;
  // Half a column stands before the first run.
  return Math.max(mean, spanMs / (most - 1), 1000);
}

class Gathering {
  readonly #from: number;
  readonly #width: number;
  readonly #counts = { good: 0, warned: 0, failed: 0 };
  #storedBytes?: Range;
  #rawBytes?: Range;
  #durationMs?: Range;

  constructor(from: number, width: number) {
    this.#from = from;
    this.#width = width;
  }

  add({ outcome, storedBytes, rawBytes, durationMs }: Run): void {
    if (outcome !== 'running') this.#counts[outcome] += 1;
    this.#storedBytes = widen(this.#storedBytes, storedBytes);
    this.#rawBytes = widen(this.#rawBytes, rawBytes);
    this.#durationMs = widen(this.#durationMs, durationMs);
  }

  close(): Column {
    const ranges = { storedBytes: this.#storedBytes, rawBytes: this.#rawBytes, durationMs: this.#durationMs };
    return { from: new Date(this.#from), to: new Date(this.#from + this.#width), ...this.#counts, ...ranges };
  }
}

function widen(range: Range | undefined, value: number | undefined): Range | undefined {
  if (value === undefined) return range;
  return { min: Math.min(range?.min ?? value, value), max: Math.max(range?.max ?? value, value) };
}
