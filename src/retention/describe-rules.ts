import { type RetentionRules, tiers } from './retention.ts';

/** For people: `last 7, daily 14, within 30 d, minimum 3`; undefined where the rules keep everything. */
export function describeRules(rules: RetentionRules): string | undefined {
  const counts = tiers.flatMap((tier) => (rules[tier] === undefined ? [] : [`${tier} ${rules[tier]}`]));
  const within = rules.withinMs === undefined ? [] : [`within ${describeSpan(rules.withinMs)}`];
  const all = [...counts, ...within];
  if (all.length === 0) return undefined;
  return [...all, ...(rules.minimum === undefined ? [] : [`minimum ${rules.minimum}`])].join(', ');
}

/** In days where it is whole days, as people think of retention; otherwise in hours. */
function describeSpan(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 24 && hours % 24 === 0 ? `${hours / 24} d` : `${Number(hours.toFixed(1))} h`;
}
