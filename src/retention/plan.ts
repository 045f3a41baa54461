/** The policy itself: which backups stay, which go, and why. */
import { type Calendar, openCalendar } from './calendar.ts';
import {
  type Decision,
  type KeepRule,
  keepsEverything,
  type ProtectionRule,
  type Reason,
  type RetentionCandidate,
  type RetentionRules,
  type Tier,
  tiers,
} from './retention.ts';

/**
 * Clocks of two machines differ by less. What claims to be younger than that was made by a clock that had jumped; it is
 * kept, and it must not take the place of a real one (F39).
 */
export const clockToleranceMs = 10 * 60_000;

interface Claim<Backup> {
  readonly backup: Backup;
  readonly reason: Reason<KeepRule>;
}

/**
 * Newest first. Deterministic: two of the same instant are ordered by key.
 * @param calendar of `rules.timezone`; given by who plans often
 */
export function plan<Backup extends RetentionCandidate>(
  backups: readonly Backup[],
  rules: RetentionRules,
  now: Date,
  calendar: Calendar = openCalendar(rules.timezone),
): readonly Decision<Backup>[] {
  const sorted = [...backups].sort(newestFirst);
  const reasons = new Map<Backup, Reason[]>(sorted.map((backup) => [backup, protections(backup, now)]));
  const good = sorted.filter((backup) => reasons.get(backup)?.length === 0);
  for (const { backup, reason } of claims(sorted, good, rules, calendar)) reasons.get(backup)?.push(reason);
  return sorted.map((backup) => decide(backup, reasons.get(backup) ?? []));
}

function newestFirst(a: RetentionCandidate, b: RetentionCandidate): number {
  return b.startedAt.getTime() - a.startedAt.getTime() || (a.key < b.key ? 1 : -1);
}

function protections(backup: RetentionCandidate, now: Date): Reason<ProtectionRule>[] {
  if (backup.startedAt.getTime() <= now.getTime() + clockToleranceMs) return [...backup.protectedBy];
  return [...backup.protectedBy, { rule: 'future', text: 'begun in the future, so some clock was wrong' }];
}

function decide<Backup extends RetentionCandidate>(backup: Backup, reasons: readonly Reason[]): Decision<Backup> {
  if (reasons.length > 0) return { backup, action: 'keep', reasons };
  return { backup, action: 'delete', reasons: [{ rule: 'surplus', text: 'no rule keeps it' }] };
}

function claims<Backup extends RetentionCandidate>(
  all: readonly Backup[],
  good: readonly Backup[],
  rules: RetentionRules,
  calendar: Calendar,
): readonly Claim<Backup>[] {
  if (keepsEverything(rules)) return all.map((backup) => claim(backup, 'no-rules', 'no rule says to delete anything'));
  const claimed = [
    ...tiers.flatMap((tier) => tierClaims(good, tier, rules[tier] ?? 0, calendar)),
    ...(rules.withinMs === undefined ? [] : withinClaims(good, rules.withinMs)),
    ...good.slice(0, 1).map((backup) => claim(backup, 'newest', 'the newest good backup')),
    ...good
      .filter((backup) => backup.verified)
      .slice(0, 1)
      .map((backup) => claim(backup, 'verified', 'the newest verified backup')),
  ];
  return [...claimed, ...minimumClaims(good, claimed, rules.minimum ?? 1)];
}

function claim<Backup>(backup: Backup, rule: KeepRule, text: string): Claim<Backup> {
  return { backup, reason: { rule, text } };
}

/**
 * The newest of each of the newest `count` buckets. While buckets are still to be filled, the oldest backup stays too:
 * otherwise the first yearly one would not exist before the first year is over (restic does the same).
 */
function tierClaims<Backup extends RetentionCandidate>(
  good: readonly Backup[],
  tier: Tier,
  count: number,
  calendar: Calendar,
): readonly Claim<Backup>[] {
  const claimed: Claim<Backup>[] = [];
  const seen = new Set<string>();
  for (const [index, backup] of good.entries()) {
    if (claimed.length >= count) break;
    const bucket = tier === 'last' ? String(index) : calendar.bucket(tier, backup.startedAt);
    const isOldest = index === good.length - 1;
    if (seen.has(bucket) && !isOldest) continue;
    const what = tier === 'last' ? '' : ` ${seen.has(bucket) ? 'oldest of all' : bucket}`;
    claimed.push(claim(backup, tier, `${tier}${what} (${claimed.length + 1} of ${count})`));
    seen.add(bucket);
  }
  return claimed;
}

/**
 * Ages are measured from the newest good backup, never from the clock, so that neither failed nights nor a clock that
 * jumps deletes anything. For the same reason one silence longer than the window, the youngest, counts only as long as
 * the longest gap since: the first backup after a month of failures would otherwise remove all the others at once.
 */
function withinClaims<Backup extends RetentionCandidate>(
  good: readonly Backup[],
  windowMs: number,
): readonly Claim<Backup>[] {
  const claimed: Claim<Backup>[] = [];
  let [age, longest, silenceSeen] = [0, 0, false];
  for (const [index, backup] of good.entries()) {
    const gap = (good[index - 1] ?? backup).startedAt.getTime() - backup.startedAt.getTime();
    const isSilence = gap > windowMs && !silenceSeen;
    age += isSilence ? longest : gap;
    longest = Math.max(longest, isSilence ? 0 : gap);
    silenceSeen ||= isSilence;
    if (age > windowMs) break;
    claimed.push(claim(backup, 'within', `within the window${silenceSeen ? ', not counting a silence' : ''}`));
  }
  return claimed;
}

/** Fills up with the newest when the other rules keep fewer. */
function minimumClaims<Backup extends RetentionCandidate>(
  good: readonly Backup[],
  claimed: readonly Claim<Backup>[],
  minimum: number,
): readonly Claim<Backup>[] {
  const kept = new Set(claimed.map(({ backup }) => backup));
  return good
    .filter((backup) => !kept.has(backup))
    .slice(0, Math.max(0, minimum - kept.size))
    .map((backup) => claim(backup, 'minimum', `one of at least ${minimum} good backups`));
}
