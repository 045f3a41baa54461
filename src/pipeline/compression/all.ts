import { brotli } from './brotli.ts';
import { bzip2 } from './bzip2.ts';
import type { Codec, CompressionType } from './compression.ts';
import { gzip } from './gzip.ts';
import { none } from './none.ts';
import { zstd } from './zstd.ts';

export const codecs: Readonly<Record<CompressionType, Codec>> = { none, gzip, brotli, zstd, bzip2 };

/** The codec whose files end in `extension` (`.zst`; `''` for none); undefined when there is none. */
export function codecByExtension(extension: string): Codec | undefined {
  return Object.values(codecs).find((codec) => codec.extension === extension);
}

/** What is wrong with `level` for this type, or undefined. */
export function checkLevel(type: CompressionType, level: number): string | undefined {
  const { min, max } = codecs[type].levels;
  if (Number.isInteger(level) && level >= min && level <= max) return undefined;
  if (min === max) return `compression ${type} has no levels`;
  return `level of ${type} must be a whole number from ${min} to ${max}, not ${level}`;
}
