import { z } from 'zod';
import { byteRate } from '../value/byte-rate.ts';

/** `10MB/s` for both ways, or each way for itself; in bytes per second. Of every kind of destination. */
export const limitSchema = z.union([
  byteRate().transform((rate) => ({ upload: rate, download: rate })),
  z.strictObject({ upload: byteRate().optional(), download: byteRate().optional() }),
]);
