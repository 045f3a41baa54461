import { z } from 'zod';
import type { Catalog } from '../../../src/config/catalog.ts';
import type { DestinationType } from '../../../src/destination/destination.ts';
import type { SourceType } from '../../../src/source/source.ts';

const never = (): never => {
  throw new Error('a config test opened an adapter');
};

const format = { restoreFrom: 'stream', restoreTables: false, parallelRestore: false } as const;

export const shopOptions = z.strictObject({
  url: z.string().min(8).optional(),
  path: z.string().optional(),
  port: z.int().min(1).max(65535).optional(),
  tls: z.boolean().optional(),
  mode: z.enum(['fast', 'careful']).optional(),
  password: z.string().optional(),
  pool: z.strictObject({ size: z.number() }).optional(),
});

/** A source that can do little, so that capability checks have something to refuse. */
const shop: SourceType<z.infer<typeof shopOptions>> = {
  type: 'shop',
  options: shopOptions,
  capabilities: () => ({
    formats: [
      { ...format, name: 'sql', extension: '.sql' },
      { ...format, name: 'binary', extension: '.bin' },
    ],
    backupTypes: ['full', 'schema'],
    tableFilter: true,
    schemaFilter: false,
    restoreOptions: [],
  }),
  open: never,
  fromTarget: () => undefined,
  endOfDumpCheck: never,
  recovery: never,
};

const shelf: DestinationType<{ path: string }> = {
  type: 'shelf',
  options: z.strictObject({ path: z.string() }),
  open: never,
};

const cloud: DestinationType<{ bucket: string; secretAccessKey?: string }> = {
  type: 'cloud',
  options: z.strictObject({ bucket: z.string(), secretAccessKey: z.string().optional() }),
  open: never,
};

const lock = {
  type: 'lock',
  options: z
    .strictObject({ recipients: z.array(z.string()).min(1).optional(), passphrase: z.string().optional() })
    .refine(({ recipients, passphrase }) => !(recipients && passphrase), 'recipients or a passphrase, not both'),
};

const bell = {
  type: 'bell',
  options: z.strictObject({ url: z.string(), loud: z.boolean().optional() }),
  open: never,
};

export const fakeCatalog: Catalog = {
  sources: [shop],
  destinations: [shelf, cloud],
  encryption: [lock],
  notifications: [bell],
};
