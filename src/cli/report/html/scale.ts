/** Axes: round numbers above zero, and round moments. */
import { formatBytes, formatDuration } from '../../../value/figure.ts';

export interface Scale {
  /** Of the upper end; the lower end is zero. */
  readonly top: number;
  readonly ticks: readonly Tick[];
}

export interface Tick {
  /** Share of the axis, 0 to 1. */
  readonly at: number;
  readonly label: string;
}

export type Unit = 'bytes' | 'ms';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const roundSpans = [1, 2, 5, 10, 20, 30].flatMap((n) => [n * second, n * minute]);
const roundDurations = [...roundSpans, ...[1, 2, 3, 6, 12, 24, 48, 96].map((n) => n * hour)].sort((a, b) => a - b);

/** From zero to a round number at or above `largest`, in two to four steps. */
export function scaleOf(largest: number, unit: Unit): Scale {
  const step = roundStep(Math.max(largest, unit === 'ms' ? 1 : 2) / 3, unit);
  const steps = Math.max(2, Math.ceil(largest / step));
  const ticks = Array.from({ length: steps + 1 }, (_, index) => ({
    at: index / steps,
    label: index === 0 ? '0' : format(index * step, unit),
  }));
  return { top: step * steps, ticks };
}

function roundStep(least: number, unit: Unit): number {
  const known = unit === 'ms' && least > second / 2 ? roundDurations.find((each) => each >= least) : undefined;
  if (known !== undefined) return known;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least) ?? 10;
  // Half bytes are no size.
  return unit === 'bytes' ? Math.max(1, factor * power) : factor * power;
}

/** `15.0 MB` as `15 MB`, `5 min 00 s` as `5 min`. */
function format(value: number, unit: Unit): string {
  if (unit === 'bytes')
    return formatBytes(value)
      .replace(/(\.\d*?)0+ /, '$1 ')
      .replace('. ', ' ');
  if (value < second) return `${Number(value.toPrecision(3))} ms`;
  return formatDuration(value)
    .replace(/ 00 (s|min)$/, '')
    .replace('.0 ', ' ');
}

const daySteps = [1, 2, 3, 7, 14];
const hourSteps = [1, 3, 6, 12];
const monthSteps = [1, 2, 3, 6, 12, 24, 60];

/**
 * At most `most` round local moments of an axis between the two, where midnight is the day's.
 * @param until nothing after that, as the last column reaches into the future
 */
export function timeTicks(from: Date, to: Date, most: number, until = to): readonly Tick[] {
  const span = to.getTime() - from.getTime();
  const moments = roundMoments(from, to, span / most);
  return moments
    .filter((moment) => moment >= from && moment <= until)
    .map((moment) => ({
      at: (moment.getTime() - from.getTime()) / span,
      label: label(moment, span),
    }));
}

function roundMoments(from: Date, to: Date, leastMs: number): Date[] {
  const hours = hourSteps.find((step) => step * hour >= leastMs);
  const days = daySteps.find((step) => step * day >= leastMs);
  const months = monthSteps.find((step) => step * 28 * day >= leastMs) ?? 120;
  const [year, month, date] = [from.getFullYear(), from.getMonth(), from.getDate()];
  const at = (index: number): Date => {
    if (hours !== undefined) return new Date(year, month, date, index * hours);
    if (days !== undefined) return new Date(year, month, date + index * days);
    return new Date(year, month - (month % months) + index * months, 1);
  };
  const moments: Date[] = [];
  // Bounded by the choice of the step; the limit is for clocks gone wrong.
  for (let index = 0; index < 200 && at(index) <= to; index += 1) moments.push(at(index));
  return moments;
}

const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function label(moment: Date, span: number): string {
  const month = names[moment.getMonth()];
  const clock = `${String(moment.getHours()).padStart(2, '0')}:${String(moment.getMinutes()).padStart(2, '0')}`;
  if (moment.getHours() !== 0) return clock;
  if (span > 300 * day) return `${month} ${moment.getFullYear()}`;
  return `${moment.getDate()} ${month}`;
}
