/**
 * The shape of the file, without what the adapters own. A section that does not exist yet is an unknown key, never
 * silently ignored. `limits` are what the rest of the file allows one job; without them: any (for the JSON Schema).
 */
import { z } from 'zod';
import { checkLevel, codecs } from '../pipeline/compression/all.ts';
import type { CompressionType } from '../pipeline/compression/compression.ts';
import type { SourceCapabilities } from '../source/source.ts';
import { duration } from '../value/duration.ts';
import { anomalySchema } from './anomaly-schema.ts';
import { hooksSchema } from './hooks.ts';
import { retentionSchema } from './retention-schema.ts';
import { scheduleSchema } from './schedule-schema.ts';

const nameRule =
  'a name has up to 100 letters, digits, dots, dashes and underscores, and begins with a letter or digit';
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, nameRule);
const section = z.record(name, z.unknown()).optional();

const keyText = z.string().min(1);

/** Texts of keys, usually references: the secret key that signs backups, the public ones that restores insist on. */
export const signingSchema = z.strictObject({
  key: keyText.optional(),
  trust: z
    .union([keyText.transform((one) => [one]), z.array(keyText).min(1)])
    .default([])
    .describe('Public keys: restore, verify and download refuse what none of them has signed'),
});

export type SigningOptions = z.output<typeof signingSchema>;

export const fileSchema = z.strictObject({
  sources: section,
  destinations: section,
  encryption: section,
  notifications: section,
  jobs: section,
  signing: signingSchema.optional(),
  maxConcurrentJobs: z.int().min(1, 'must be at least 1').max(64).default(1),
  state: z.strictObject({ dir: z.string().min(1) }).optional(),
  keepConfig: z.boolean().default(false).describe('Keep this file, without its secrets, beside the backups'),
});

export interface JobLimits {
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly encryption: readonly string[];
  readonly notifications: readonly string[];
  /** Of the job's source, where that is known. */
  readonly source?: { readonly type: string; readonly capabilities: SourceCapabilities };
}

export function jobSchema(limits?: JobLimits) {
  const destination = reference('destination', limits?.destinations);
  const notification = reference('notification', limits?.notifications);
  const able = limits?.source?.capabilities;
  return z.strictObject({
    description: z.string().optional(),
    enabled: z.boolean().default(true),
    source: reference('source', limits?.sources),
    destinations: destinationList(destination),
    schedule: scheduleSchema.optional(),
    retention: retentionSchema.optional(),
    backupType: z
      .enum(['full', 'schema', 'data'])
      .refine((type) => able?.backupTypes.includes(type) ?? true, cannot(limits, able?.backupTypes))
      .default('full'),
    format: reference(
      'dump format',
      able?.formats.map((format) => format.name),
    ).optional(),
    databases: databases(able === undefined || able.bundle !== undefined, limits),
    tables: filter(able?.tableFilter ?? true, limits),
    schemas: filter(able?.schemaFilter ?? true, limits),
    compression: compression().prefault('zstd'),
    encryption: reference('encryption', limits?.encryption).optional(),
    notify: z
      .union([notification.transform((one) => [one]), z.array(notification)])
      .refine((list) => new Set(list).size === list.length, 'names a notification twice')
      .default([]),
    hooks: hooksSchema.optional(),
    retry: z
      .strictObject({ attempts: z.int().min(1).max(20).default(3), backoff: duration().prefault('30s') })
      .prefault({ attempts: 1 }),
    anomaly: anomalySchema.prefault({}),
    timeouts: z.strictObject({ idle: duration().optional(), total: duration().optional() }).default({}),
  });
}

export type JobFields = z.output<ReturnType<typeof jobSchema>>;

/** `disk`, `{ name: disk, retention: … }`, or a list of such. */
function destinationList(name: z.ZodType<string, string>) {
  const plain = name.transform((only) => ({ name: only, retention: undefined }));
  const withRetention = z.strictObject({ name, retention: retentionSchema.optional() });
  return z
    .union([
      plain.transform((one) => [one]),
      withRetention.transform((one) => [one]),
      z.array(z.union([plain, withRetention])).min(1, 'needs at least one destination'),
    ])
    .refine((list) => new Set(list.map((each) => each.name)).size === list.length, 'names a destination twice');
}

/** Text that must be one of `names`, where they are known. */
function reference(what: string, names: readonly string[] | undefined) {
  const known = names?.length ? `there is ${names.join(', ')}` : 'none is defined';
  return z.string().refine((text) => names?.includes(text) ?? true, {
    error: `no ${what} has this name (${known})`,
    params: { expected: names },
  });
}

function cannot(limits: JobLimits | undefined, able: readonly string[] | undefined): string {
  return `a source of type ${limits?.source?.type} cannot do this${able ? ` (it can do ${able.join(', ')})` : ''}`;
}

function filter(supported: boolean, limits: JobLimits | undefined) {
  const patterns = z.array(z.string().min(1)).optional();
  return z
    .strictObject({ include: patterns, exclude: patterns })
    .refine(() => supported, cannot(limits, undefined))
    .optional();
}

/** `all`, one pattern, a list of them, or `{ include, exclude }`. */
function databases(supported: boolean, limits: JobLimits | undefined) {
  const pattern = z.string().min(1);
  const one = pattern.transform((only) => (only === 'all' ? ['*'] : [only]));
  const list = z.array(pattern).min(1, 'needs at least one database');
  const parts = z.strictObject({
    include: z.union([one, list]).prefault('all'),
    exclude: z.union([pattern.transform((only) => [only]), z.array(pattern)]).default([]),
  });
  const without = (include: string[]) => ({ include, exclude: [] as string[] });
  return z
    .union([one.transform(without), list.transform(without), parts])
    .refine(() => supported, cannot(limits, undefined))
    .optional()
    .describe('Several databases of one server as one backup, a bundle: names with the wildcards * and ?, or all');
}

/** `zstd`, or `{ type: zstd, level: 3 }` with the levels of that codec. */
function compression() {
  const type = z.enum(Object.keys(codecs) as CompressionType[]);
  const withLevel = z.strictObject({ type, level: z.int().optional() }).check(({ value: { type, level }, issues }) => {
    const message = level === undefined ? undefined : checkLevel(type, level);
    if (message !== undefined) issues.push({ code: 'custom', input: level, path: ['level'], message });
  });
  return z
    .union([type.transform((only) => ({ type: only, level: undefined })), withLevel])
    .transform(({ type, level }) => ({ type, level: level ?? codecs[type].levels.default }));
}
