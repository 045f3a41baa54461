/**
 * The retention policy once more, slow and obvious: whole groups instead of one pass, week numbers by counting
 * Thursdays, local times from text. Shares nothing with src/retention but the types.
 */
import { type RetentionCandidate, type RetentionRules, type Tier, tiers } from '../../../src/retention/retention.ts';

const dayMs = 86_400_000;
const fields = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'longOffset',
} as const;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Keys of the backups that stay. */
export function referenceKeep(
  backups: readonly RetentionCandidate[],
  rules: RetentionRules,
  now: Date,
): ReadonlySet<string> {
  const all = backups.map((backup) => backup.key);
  const hasRule = tiers.some((tier) => rules[tier] !== undefined) || rules.withinMs !== undefined;
  if (!hasRule) return new Set(all);
  const isFuture = (backup: RetentionCandidate) => backup.startedAt.getTime() - now.getTime() > 600_000;
  const good = backups.filter((backup) => backup.protectedBy.length === 0 && !isFuture(backup)).sort(byAge);
  const keep = new Set(backups.filter((backup) => !good.includes(backup)).map((backup) => backup.key));
  const kept = new Set<string>();
  for (const tier of tiers) for (const key of keptByTier(good, tier, rules)) kept.add(key);
  for (const key of keptByWindow(good, rules.withinMs)) kept.add(key);
  for (const backup of [good[0], good.find((each) => each.verified)]) if (backup) kept.add(backup.key);
  for (const backup of good) if (kept.size < (rules.minimum ?? 1)) kept.add(backup.key);
  return new Set([...keep, ...kept]);
}

function byAge(a: RetentionCandidate, b: RetentionCandidate): number {
  const apart = b.startedAt.getTime() - a.startedAt.getTime();
  if (apart !== 0) return apart;
  return a.key > b.key ? -1 : 1;
}

function keptByTier(good: readonly RetentionCandidate[], tier: Tier, rules: RetentionRules): readonly string[] {
  const count = rules[tier];
  if (count === undefined) return [];
  if (tier === 'last') return good.slice(0, count).map((backup) => backup.key);
  const groups = new Map<string, RetentionCandidate[]>();
  for (const backup of good) {
    const label = labels[tier](wallClock(backup.startedAt, rules.timezone));
    groups.set(label, [...(groups.get(label) ?? []), backup]);
  }
  const newestOfEach = [...groups.values()].flatMap((group) => group.sort(byAge).slice(0, 1)).sort(byAge);
  const oldest = groups.size < count ? good.slice(-1) : [];
  return [...newestOfEach.slice(0, count), ...oldest].map((backup) => backup.key);
}

function keptByWindow(good: readonly RetentionCandidate[], windowMs: number | undefined): readonly string[] {
  if (windowMs === undefined) return [];
  const gaps = good.slice(1).map((backup, i) => (good[i]?.startedAt.getTime() ?? 0) - backup.startedAt.getTime());
  const silence = gaps.findIndex((gap) => gap > windowMs);
  if (silence >= 0) gaps[silence] = Math.max(0, ...gaps.slice(0, silence));
  const age = (index: number) => gaps.slice(0, index).reduce((sum, gap) => sum + gap, 0);
  return good.filter((_, index) => age(index) <= windowMs).map((backup) => backup.key);
}

interface WallClock {
  readonly date: string;
  readonly hour: string;
  readonly offset: string;
}

const labels: Readonly<Record<Exclude<Tier, 'last'>, (at: WallClock) => string>> = {
  hourly: (at) => `${at.date}T${at.hour}${at.offset}`,
  daily: (at) => at.date,
  weekly: (at) => weekOf(at.date),
  monthly: (at) => at.date.slice(0, 7),
  yearly: (at) => at.date.slice(0, 4),
};

/** Swedish writes dates as ISO 8601 does. */
function wallClock(instant: Date, zone = 'UTC'): WallClock {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { ...fields, timeZone: zone });
  formats.set(zone, format);
  const found = /^(\d{4}-\d{2}-\d{2}),? (\d{2}):\d{2}:\d{2},? (.*)$/.exec(format.format(instant));
  if (!found) throw new Error(`unexpected: ${format.format(instant)}`);
  const [, date = '', hour = '', offset = ''] = found;
  return { date, hour, offset };
}

/** Counts the Thursdays of the year up to the one in the week of `date`. */
function weekOf(date: string): string {
  let thursday = Date.parse(`${date}T00:00:00Z`);
  const isThursday = (time: number) => new Date(time).getUTCDay() === 4;
  const weekday = new Date(thursday).getUTCDay();
  const step = weekday >= 1 && weekday <= 3 ? dayMs : -dayMs;
  while (!isThursday(thursday)) thursday += step;
  const year = new Date(thursday).getUTCFullYear();
  let weeks = 0;
  for (let day = Date.UTC(year, 0, 1); day <= thursday; day += dayMs) weeks += isThursday(day) ? 1 : 0;
  return `${year} week ${weeks}`;
}
