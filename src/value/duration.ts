import { z } from 'zod';

/**
 * Milliseconds of a duration with a unit: `500ms`, `90s`, `10m`, `6h`, `2d`, and combined, largest first: `1h30m`.
 * Undefined when it is none; a bare number is none, because nobody knows its unit.
 */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', milliseconds = '0'] = match;
  const total =
    (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(milliseconds);
  return Number.isSafeInteger(total) ? total : undefined;
}

const durationPattern = /^(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

const rule = 'must be a duration with a unit, such as 90s, 10m, 6h or 1h30m';

/** For options: in the file text with a unit, checked milliseconds. `0s` only where `zero` is meant to switch off. */
export function duration(zero: 'above zero' | 'zero allowed' = 'above zero') {
  const message = zero === 'above zero' ? `${rule}, above zero` : rule;
  return z
    .string(message)
    .regex(durationPattern, message)
    .refine((text) => zero === 'zero allowed' || parseDuration(text) !== 0, message)
    .transform((text) => parseDuration(text) ?? 0);
}
