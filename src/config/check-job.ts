import { isDeepStrictEqual } from 'node:util';
import type { SourceType } from '../source/source.ts';
import type { AdapterSection, CheckedAdapter } from './check-adapter.ts';
import type { AdapterDefinition, Job } from './config.ts';
import { check, type Finding, findings } from './issue.ts';
import { type JobFields, type JobLimits, jobSchema } from './schema.ts';
import { valueAt } from './walk-strings.ts';

export type CheckedAdapters = Readonly<Record<AdapterSection, ReadonlyMap<string, CheckedAdapter>>>;

export interface CheckedJob {
  readonly job: Job | undefined;
  readonly findings: readonly Finding[];
}

/** One entry of `jobs`, against the adapters that the file defines and what its source can do. */
export function checkJob(
  name: string,
  value: unknown,
  adapters: CheckedAdapters,
  sourceTypes: readonly SourceType[],
): CheckedJob {
  const schema = jobSchema({
    sources: [...adapters.sources.keys()],
    destinations: [...adapters.destinations.keys()],
    encryption: [...adapters.encryption.keys()],
    notifications: [...adapters.notifications.keys()],
    source: abilities(adapters.sources.get(String(valueAt(value, ['source']))), sourceTypes),
  });
  const { data, issues } = check(schema, value);
  if (data === undefined) return { job: undefined, findings: findings(schema, value, issues, ['jobs', name]) };
  return { job: jobOf(name, data, adapters), findings: identicalDestinations(name, data, adapters.destinations) };
}

function abilities(source: CheckedAdapter | undefined, types: readonly SourceType[]): JobLimits['source'] {
  const adapter = types.find((each) => each.type === source?.definition.type);
  if (source === undefined || adapter === undefined) return undefined;
  return { type: adapter.type, capabilities: adapter.capabilities(source.options) };
}

/** Two names for one place: a second copy that is none. */
function identicalDestinations(
  job: string,
  { destinations }: JobFields,
  known: CheckedAdapters['destinations'],
): readonly Finding[] {
  const defined = destinations.map(({ name }) => known.get(name)?.definition);
  return defined.flatMap((mine, index) => {
    const same = (other: AdapterDefinition | undefined) =>
      other?.type === mine?.type && isDeepStrictEqual(other?.options, mine?.options);
    const twin = defined.findIndex(same);
    const message = `is the same place as ${destinations[twin]?.name}: one copy, not two`;
    return twin < index ? [{ path: ['jobs', job, 'destinations', index], message }] : [];
  });
}

function jobOf(name: string, fields: JobFields, adapters: CheckedAdapters): Job | undefined {
  const source = adapters.sources.get(fields.source)?.definition;
  if (source === undefined) return undefined;
  return {
    name,
    description: fields.description,
    enabled: fields.enabled,
    source,
    destinations: fields.destinations.flatMap(({ name: each }) => adapters.destinations.get(each)?.definition ?? []),
    schedule: fields.schedule,
    retention: retentionOf(fields),
    backupType: fields.backupType,
    format: fields.format,
    filter: {
      include: fields.tables?.include,
      exclude: fields.tables?.exclude,
      includeSchemas: fields.schemas?.include,
      excludeSchemas: fields.schemas?.exclude,
    },
    databases: fields.databases,
    compression: fields.compression,
    encryption: fields.encryption === undefined ? undefined : adapters.encryption.get(fields.encryption)?.definition,
    notify: fields.notify.flatMap((each) => adapters.notifications.get(each)?.definition ?? []),
    hooks: fields.hooks,
    retry: { attempts: fields.retry.attempts, backoffMs: fields.retry.backoff },
    anomaly: fields.anomaly,
    timeouts: { idleMs: fields.timeouts.idle, totalMs: fields.timeouts.total },
  };
}

/** By destination; one without rules keeps everything. */
function retentionOf({ destinations, retention }: JobFields): Job['retention'] {
  return new Map(
    destinations.flatMap(({ name, retention: own }) => {
      const rules = own ?? retention;
      return rules === undefined ? [] : [[name, rules]];
    }),
  );
}
