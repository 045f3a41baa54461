import { z } from 'zod';
import { parseByteSize } from './byte-size.ts';

const rule = 'must be a rate such as 10MB/s, 500KiB/s or 80Mbit/s, of at least 1KB/s';
const pattern = /^(.+)\/s$/;
const bits = /^(\d+(?:\.\d+)?) ?([kMG])bit$/;
const bitUnits = { k: 1e3, M: 1e6, G: 1e9 };

/** Bytes per second of `10MB/s` (1000²), `10MiB/s` (1024²) or `80Mbit/s`. Undefined when it is none. */
export function parseByteRate(text: string): number | undefined {
  const amount = pattern.exec(text)?.[1] ?? '';
  const [, digits, unit] = bits.exec(amount) ?? [];
  const bytes =
    unit === undefined ? parseByteSize(amount) : (Number(digits) * bitUnits[unit as keyof typeof bitUnits]) / 8;
  return bytes === undefined || bytes < 1000 ? undefined : bytes;
}

/** For options: in the file text with a unit, checked bytes per second. */
export function byteRate() {
  return z
    .string(rule)
    .refine((text) => parseByteRate(text) !== undefined, rule)
    .transform((text) => parseByteRate(text) ?? Number.POSITIVE_INFINITY);
}
