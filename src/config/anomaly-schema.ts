import { z } from 'zod';

/** In the file: text with a percent sign. Checked: a share, 0.5 for 50%. */
function percent(most: number) {
  const rule = `must be a percentage above 0% and up to ${most}%, such as 50%`;
  return z
    .string(rule)
    .regex(/^\d+(\.\d+)?%$/, rule)
    .refine((text) => Number.parseFloat(text) > 0 && Number.parseFloat(text) <= most, rule)
    .transform((text) => Number.parseFloat(text) / 100);
}

/** What makes a backup suspect, against the median of recent good ones. `false`: nothing does. */
export const anomalySchema = z.union([
  z.literal(false).transform(() => undefined),
  z.strictObject({
    sizeDrop: percent(100).prefault('50%').describe('raw or stored size fell by more than this'),
    sizeGrowth: percent(100_000).optional().describe('raw or stored size grew by more than this'),
    rowDrop: percent(100).prefault('50%').describe('rows of all tables together fell by more than this'),
    durationGrowth: percent(100_000).optional().describe('it took longer by more than this'),
  }),
]);
