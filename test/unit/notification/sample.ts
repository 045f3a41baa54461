import type { ZodType } from 'zod';
import type { Message, Notification, NotificationType } from '../../../src/notification/notification.ts';

export const failure: Message = {
  event: 'failure',
  job: 'shop-nightly',
  status: 'failed',
  executionId: '4f9c01aa-0000-4000-8000-000000000001',
  host: 'db1',
  at: new Date('2026-11-20T03:00:00Z'),
  title: 'shop-nightly: backup FAILED on db1',
  text: 'TOOL_FAILED: pg_dump said "no" & <nothing> else\nHint: look',
  durationMs: 12_345,
  error: { code: 'TOOL_FAILED', message: 'pg_dump said "no" & <nothing> else', hint: 'look' },
  warnings: [],
  log: ['2026-11-20T03:00:00Z step: dump', 'pg_dump: oh no'],
};

export const success: Message = {
  ...failure,
  event: 'success',
  status: 'completed',
  title: 'shop-nightly: backup completed on db1',
  text: '1 MB → 100 kB',
  error: undefined,
  rawBytes: 1_000_000,
  storedBytes: 100_000,
  artifact: 'shop-nightly/a.sql.zst',
  lastGood: { at: new Date('2026-11-20T03:00:12Z'), durationMs: 12_345, rawBytes: 1_000_000, storedBytes: 100_000 },
};

/** As the config opens a channel: options checked by its own schema. */
export function openChannel<Options>(type: NotificationType<Options>, options: unknown, folder = '/'): Notification {
  return type.open((type.options as ZodType<Options>).parse(options), folder);
}
