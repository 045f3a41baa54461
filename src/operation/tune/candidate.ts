/** What is tried: of every codec the levels that differ enough to be worth a choice, and what the job has now. */
import { codecs } from '../../pipeline/compression/all.ts';
import type { CompressionType } from '../../pipeline/compression/compression.ts';

const codecTypes = Object.keys(codecs) as CompressionType[];

export interface Candidate {
  readonly type: CompressionType;
  readonly level: number;
}

/** brotli's 10 and 11 do less than 1 MB/s; whoever names the codec gets all of its levels. */
const usual: Readonly<Record<CompressionType, readonly number[]>> = {
  none: [0],
  gzip: [1, 6, 9],
  zstd: [1, 3, 6, 9, 12, 15, 19],
  brotli: [1, 4, 6, 9],
  bzip2: [9],
};

/** Codec by codec, weakest level first. `only`: these codecs, each at every level it has. */
export function candidates(current: Candidate, only: readonly CompressionType[]): readonly Candidate[] {
  return codecTypes.flatMap((type) => {
    const levels = new Set(only.length === 0 ? usual[type] : only.includes(type) ? everyLevel(type) : []);
    if (type === current.type) levels.add(current.level);
    return [...levels].sort((a, b) => a - b).map((level) => ({ type, level }));
  });
}

function everyLevel(type: CompressionType): readonly number[] {
  const { min, max } = codecs[type].levels;
  return Array.from({ length: max - min + 1 }, (_, index) => min + index);
}

/** `zstd 3`, `none`. */
export function nameOf({ type, level }: Candidate): string {
  return codecs[type].levels.min === codecs[type].levels.max ? type : `${type} ${level}`;
}

/** The line for the config, below the job. */
export function yamlOf({ type, level }: Candidate): string {
  return nameOf({ type, level }) === type ? `compression: ${type}` : `compression: { type: ${type}, level: ${level} }`;
}
