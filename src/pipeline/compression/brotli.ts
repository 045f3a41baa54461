import { constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';
import type { Codec } from './compression.ts';
import { wholeDecoder } from './whole-decoder.ts';

const chunkSize = 256 * 1024;

/** Brotli (RFC 7932), on one core. The format has no checksum of its own: only the recorded hash proves the data. */
export const brotli: Codec = {
  type: 'brotli',
  extension: '.br',
  levels: { min: 0, max: 11, default: 4 },
  recovery: { command: 'brotli -dc', packages: ['brotli'] },
  compress: async (level) => createBrotliCompress({ chunkSize, params: { [constants.BROTLI_PARAM_QUALITY]: level } }),
  decompress: async () => {
    const decoder = createBrotliDecompress({ chunkSize });
    // Node's decoder ends cleanly at the end of the stream, whatever follows it.
    return wholeDecoder('brotli', decoder, (received) => decoder.bytesWritten === received);
  },
};
