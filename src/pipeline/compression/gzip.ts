import { createGunzip } from 'node:zlib';
import type { Codec } from './compression.ts';
import { GzipBlocks } from './gzip-blocks.ts';
import { wholeDecoder } from './whole-decoder.ts';

/** Gzip (RFC 1952), compressed on several cores; reads files of one member and of many. */
export const gzip: Codec = {
  type: 'gzip',
  extension: '.gz',
  levels: { min: 1, max: 9, default: 6 },
  recovery: { command: 'gzip -dc', packages: ['gzip'] },
  compress: async (level) => new GzipBlocks(level),
  decompress: async () => {
    const gunzip = createGunzip({ chunkSize: 256 * 1024 });
    // Node's gunzip ends cleanly where zero bytes follow a member, and leaves the rest of the input unread.
    return wholeDecoder('gzip', gunzip, (received) => gunzip.bytesWritten === received);
  },
};
