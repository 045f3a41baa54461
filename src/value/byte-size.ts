import { z } from 'zod';

const units = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const pattern = /^(\d+(?:\.\d+)?) ?([KMGT]i?B|B)$/;
const rule = 'must be a size with a unit, such as 64MiB or 1.5GiB';

/** Bytes of a size with a unit: `64MiB` (1024²) or `64MB` (1000²). Undefined when it is none. */
export function parseByteSize(text: string): number | undefined {
  const [, digits, unit] = pattern.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const bytes = Math.round(Number(digits) * units[unit as keyof typeof units]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For options: in the file text with a unit, checked bytes. */
export function byteSize() {
  return z
    .string(rule)
    .regex(pattern, rule)
    .transform((text) => parseByteSize(text) ?? 0);
}
