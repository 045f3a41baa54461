import { CoderStream } from './coder-stream.ts';
import type { Codec } from './compression.ts';
import { zstdDecoder, zstdEncoder } from './zstd-coder.ts';

/** Zstandard frames with a content checksum (RFC 8878), compressed on several cores. */
export const zstd: Codec = {
  type: 'zstd',
  extension: '.zst',
  levels: { min: 1, max: 19, default: 3 },
  recovery: { command: 'zstd -dc', packages: ['zstd'] },
  compress: async (level) => new CoderStream(await zstdEncoder(level)),
  decompress: async () => new CoderStream(await zstdDecoder()),
};
