/**
 * Cron expressions as crontab(5) of Debian's cron has them: five fields with numbers, names, lists, ranges and steps,
 * or a macro. Refused, because not every scheduler knows them: seconds, `L`, `W`, `#`, `?`, `@reboot`, ranges that wrap.
 */

export interface CronField {
  /** As canonical text: numbers in place of names. */
  readonly text: string;
  /** Sorted; weekdays from 0 (Sunday) to 6. */
  readonly values: readonly number[];
  /** Begins with `*`: then the field restricts nothing where days of month and week are joined (crontab(5)). */
  readonly star: boolean;
  /** All that there is. */
  readonly full: boolean;
}

export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  readonly dayOfWeek: CronField;
}

/** What is wrong with an expression, as the end of a sentence about it. */
export class CronError extends Error {}

const macros: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface FieldKind {
  readonly what: string;
  readonly low: number;
  readonly high: number;
  /** The first one is `low`. */
  readonly names?: readonly string[];
}

const kinds = {
  minute: { what: 'minute', low: 0, high: 59 },
  hour: { what: 'hour', low: 0, high: 23 },
  dayOfMonth: { what: 'day of month', low: 1, high: 31 },
  month: { what: 'month', low: 1, high: 12, names: months },
  dayOfWeek: { what: 'day of week', low: 0, high: 7, names: weekdays },
} as const satisfies Readonly<Record<keyof CronFields, FieldKind>>;

/** Throws CronError. */
export function parseCron(expression: string): CronFields {
  const text = expression.trim();
  const words = (macros[text.toLowerCase()] ?? text).split(/\s+/);
  if (text.startsWith('@') && words.length === 1) {
    throw new CronError(`"${text}" is no macro that can be had (there is ${Object.keys(macros).join(', ')})`);
  }
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = words;
  if (words.length !== 5) {
    throw new CronError('must have five fields: minute, hour, day of month, month, day of week');
  }
  return {
    minute: parseField(minute, kinds.minute),
    hour: parseField(hour, kinds.hour),
    dayOfMonth: parseField(dayOfMonth, kinds.dayOfMonth),
    month: parseField(month, kinds.month),
    dayOfWeek: parseField(dayOfWeek, kinds.dayOfWeek),
  };
}

export function formatCron({ minute, hour, dayOfMonth, month, dayOfWeek }: CronFields): string {
  return [minute, hour, dayOfMonth, month, dayOfWeek].map((field) => field.text).join(' ');
}

/** Are both kinds of days restricted? Then a day counts when either matches; otherwise both must (crontab(5)). */
export function joinsDaysByOr({ dayOfMonth, dayOfWeek }: CronFields): boolean {
  return !dayOfMonth.star && !dayOfWeek.star;
}

/** False for what no calendar has: `0 0 31 2 *`. */
export function everFires(fields: CronFields): boolean {
  const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (joinsDaysByOr(fields)) return true;
  return fields.month.values.some((month) => {
    return fields.dayOfMonth.values.some((day) => day <= (longest[month - 1] ?? 0));
  });
}

function parseField(text: string, kind: FieldKind): CronField {
  const parts = text
    .toLowerCase()
    .split(',')
    .map((part) => parsePart(part, kind));
  const values = new Set(parts.flatMap((part) => part.values));
  // Sunday has two numbers.
  if (kind.names === weekdays && values.delete(7)) values.add(0);
  const count = kind.high - kind.low + (kind.names === weekdays ? 0 : 1);
  return {
    text: parts.map((part) => part.text).join(','),
    values: [...values].sort((a, b) => a - b),
    star: text.startsWith('*'),
    full: values.size === count,
  };
}

function parsePart(part: string, kind: FieldKind): { readonly text: string; readonly values: readonly number[] } {
  const [, written = '', step] = /^([^/]*)(?:\/(\d+))?$/.exec(part) ?? [];
  const { low, high, text } = parseRange(written, part, kind);
  if (step === undefined) return { text, values: span(low, high, 1) };
  const every = Number(step);
  if (/^\d+$/.test(text)) throw new CronError(`"${part}": a step needs * or a range before it`);
  if (every < 1 || every > kind.high) throw new CronError(`"${part}": the step must be from 1 to ${kind.high}`);
  return { text: `${text}/${every}`, values: span(low, high, every) };
}

/** `*`, `5` or `1-5`. */
function parseRange(
  written: string,
  part: string,
  kind: FieldKind,
): { readonly low: number; readonly high: number; readonly text: string } {
  if (written === '*') return { low: kind.low, high: lastOf(kind), text: '*' };
  const [, first, last] = /^([^-]+)(?:-([^-]+))?$/.exec(written) ?? [];
  if (first === undefined) throw new CronError(`"${part}" is no ${kind.what}`);
  const low = numberOf(first, kind);
  if (last === undefined) return { low, high: low, text: String(low) };
  const high = endOf(last, kind);
  if (high < low) throw new CronError(`"${part}" ends before it begins`);
  return { low, high, text: `${low}-${high}` };
}

function span(low: number, high: number, every: number): readonly number[] {
  return Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, index) => low + index * every);
}

/** Of `*`: 7 is only another name of Sunday. */
function lastOf(kind: FieldKind): number {
  return kind.names === weekdays ? 6 : kind.high;
}

/** `fri-sun` ends with the week. */
function endOf(word: string, kind: FieldKind): number {
  return kind.names === weekdays && word === 'sun' ? 7 : numberOf(word, kind);
}

function numberOf(word: string, kind: FieldKind): number {
  const named = kind.names?.indexOf(word) ?? -1;
  if (named >= 0) return kind.low + named;
  const number = /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
  if (number >= kind.low && number <= kind.high) return number;
  const names = kind.names === undefined ? '' : `, or ${kind.names[0]} to ${kind.names.at(-1)}`;
  throw new CronError(`"${word}" is no ${kind.what} (${kind.low} to ${kind.high}${names})`);
}
