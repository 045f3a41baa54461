/**
 * Retention: backups and rules in, keep or delete with every reason out. Pure: no clock, no store, no state.
 * Guarantees: what is protected is never deleted and never stands in for another; the newest good backup, the newest
 * verified one and `minimum` good ones stay whatever the rules say; without a rule everything stays.
 * Refuses: to judge by file times. The only time it knows is when the backup began, by its sidecar.
 */

/** Tiers as restic has them: the newest backup of each of the last n hours, days … that have one. */
export const tiers = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Tier = (typeof tiers)[number];

/** Counts are whole numbers above zero. No tier and no `withinMs`: everything is kept. */
export type RetentionRules = { readonly [tier in Tier]?: number } & {
  /** Keeps all that is younger than this, measured from the newest good backup. */
  readonly withinMs?: number;
  /** Good backups that stay in any case; default 1. */
  readonly minimum?: number;
  /** IANA name, for hours, days, weeks (ISO 8601), months and years; default: the machine's. */
  readonly timezone?: string;
};

/** Why a backup is neither deleted nor counted. */
export type ProtectionRule = 'locked' | 'suspect' | 'damaged' | 'unreadable' | 'foreign' | 'future' | 'in-use';
export type KeepRule = Tier | 'within' | 'minimum' | 'newest' | 'verified' | 'no-rules';

export interface Reason<Rule extends string = ProtectionRule | KeepRule | 'surplus'> {
  readonly rule: Rule;
  /** For people: `daily 2026-11-20 (3 of 14)`. */
  readonly text: string;
}

/** A stored backup as the policy sees it. Orphans, leftovers and cut deletions are no candidates. */
export interface RetentionCandidate {
  /** Unique; decides between two of the same instant. */
  readonly key: string;
  readonly startedAt: Date;
  /** Empty for a good backup: complete, of this source, not suspect (or accepted), not locked. */
  readonly protectedBy: readonly Reason<ProtectionRule>[];
  /** Its latest verification passed. */
  readonly verified: boolean;
}

export interface Decision<Backup extends RetentionCandidate = RetentionCandidate> {
  readonly backup: Backup;
  readonly action: 'keep' | 'delete';
  /** All of them; at least one. */
  readonly reasons: readonly Reason[];
}

/** True when the rules delete nothing, because there are none. */
export function keepsEverything(rules: RetentionRules): boolean {
  return rules.withinMs === undefined && tiers.every((tier) => rules[tier] === undefined);
}
