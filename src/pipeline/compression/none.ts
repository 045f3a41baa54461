import { PassThrough } from 'node:stream';
import type { Codec } from './compression.ts';

/** No compression. */
export const none: Codec = {
  type: 'none',
  extension: '',
  levels: { min: 0, max: 0, default: 0 },
  recovery: { command: 'cat', packages: [] },
  compress: async () => new PassThrough(),
  decompress: async () => new PassThrough(),
};
