/**
 * Names of the hours, days, weeks, months and years that instants fall into, in one timezone. The hour that is lived
 * twice when summer time ends counts twice: its two halves differ in their offset from UTC.
 */
import type { Tier } from './retention.ts';

export interface Calendar {
  /** Equal for two instants exactly when they share the hour, day …; `last` has no buckets but instants. */
  bucket(tier: Exclude<Tier, 'last'>, instant: Date): string;
}

interface LocalTime {
  /** Midnight of the local date, as if it were UTC. */
  readonly date: Date;
  /** `2026-11-20` */
  readonly day: string;
  /** `03` */
  readonly hour: string;
  /** From UTC, in minutes. */
  readonly offset: number;
}

/** Throws RangeError for a timezone that this Node.js does not know. */
export function openCalendar(timezone?: string): Calendar {
  const known = new Map<number, LocalTime>();
  const format = formatter(timezone);
  const local = (instant: Date): LocalTime => {
    const time = instant.getTime();
    const found = known.get(time) ?? localTime(instant, format);
    known.set(time, found);
    return found;
  };
  return { bucket: (tier, instant) => names[tier](local(instant)) };
}

const names: Readonly<Record<Exclude<Tier, 'last'>, (local: LocalTime) => string>> = {
  hourly: ({ day, hour, offset }) => `${day} ${hour}h${formatOffset(offset)}`,
  daily: ({ day }) => day,
  weekly: ({ date }) => isoWeek(date),
  monthly: ({ day }) => day.slice(0, -3),
  yearly: ({ day }) => day.slice(0, -6),
};

function formatter(timeZone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
}

function localTime(instant: Date, format: Intl.DateTimeFormat): LocalTime {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of format.formatToParts(instant)) parts[type] = value;
  const { year = '', month = '', day = '', hour = '', minute = '' } = parts;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const wall = date.getTime() + (Number(hour) * 60 + Number(minute)) * 60_000;
  const offset = Math.round(wall / 60_000 - Math.floor(instant.getTime() / 60_000));
  return { date, day: `${year}-${month}-${day}`, hour, offset };
}

/** `+0200` */
function formatOffset(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** ISO 8601: weeks begin on Monday and belong to the year of their Thursday. */
function isoWeek(date: Date): string {
  const dayMs = 86_400_000;
  const weekday = date.getUTCDay() || 7;
  const thursday = new Date(date.getTime() + (4 - weekday) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
