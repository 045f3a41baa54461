/**
 * `check`: everything a run will need, looked at one by one, each trouble with its way out. Gathers the doctors of the
 * adapters and what belongs to none of them. Guarantees: one subject's trouble hides no other's; nothing is changed but
 * for a small object that is written to each destination and removed again.
 */
import type { AdapterDefinition, Config, Job } from '../../config/config.ts';
import { type Finding, failure } from '../../finding.ts';
import type { Runtime } from '../runtime.ts';
import { checkDestination } from './check-destination.ts';
import { checkInstalled } from './check-installed.ts';
import { checkJobSettings } from './check-job-settings.ts';
import { checkEncryption, checkNotification, checkSigning } from './check-keys.ts';
import { checkMachine } from './check-machine.ts';
import { checkSource } from './check-source.ts';

export type SubjectKind = 'machine' | 'source' | 'destination' | 'encryption' | 'notification' | 'job';

export interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
}

export interface Choice {
  /** With what they use. */
  readonly jobs: readonly Job[];
  readonly sources: readonly AdapterDefinition[];
  readonly destinations: readonly AdapterDefinition[];
  /** Everything in the config, used or not. */
  readonly all: boolean;
}

interface Look extends Subject {
  readonly look: () => AsyncIterable<Finding>;
}

/** Finding by finding, subject after subject. */
export async function* check(
  choice: Choice,
  runtime: Runtime,
): AsyncGenerator<{ readonly subject: Subject; readonly finding: Finding }> {
  for (const { look, ...subject } of looks(choice, runtime)) {
    try {
      for await (const finding of look()) yield { subject, finding };
    } catch (error) {
      runtime.signal.throwIfAborted();
      yield { subject, finding: failure(error) };
    }
  }
}

function looks(choice: Choice, runtime: Runtime): readonly Look[] {
  const { config } = runtime;
  if (config === undefined) return [];
  const jobs = choice.all ? [...config.jobs.values()] : choice.jobs;
  const of = <Key extends 'sources' | 'destinations' | 'encryption' | 'notifications'>(
    section: Key,
    used: readonly (AdapterDefinition | undefined)[],
  ) => (choice.all ? [...config[section].values()] : unique(used));
  const sources = of('sources', [...choice.sources, ...jobs.map((job) => job.source)]);
  const destinations = of('destinations', [...choice.destinations, ...jobs.flatMap((job) => job.destinations)]);
  const encryption = of(
    'encryption',
    jobs.map((job) => job.encryption),
  );
  const notifications = of(
    'notifications',
    jobs.flatMap((job) => job.notify),
  );
  return [
    { kind: 'machine', name: runtime.host, look: () => checkMachine(runtime) },
    ...(config.signing ? [{ kind: 'encryption' as const, name: 'signing', look: () => checkSigning(runtime) }] : []),
    ...each('source', sources, (one) => checkSource(one, jobsOf(config, jobs, one), runtime)),
    ...each('destination', destinations, (one) => checkDestination(one, runtime)),
    ...each('encryption', encryption, (one) => checkEncryption(one, runtime)),
    ...each('notification', notifications, (one) => checkNotification(one, runtime)),
    ...jobs.map((job) => ({ kind: 'job' as const, name: job.name, look: () => checkJobSettings(job) })),
    ...(choice.all
      ? [{ kind: 'machine' as const, name: 'schedule', look: () => checkInstalled(config, runtime) }]
      : []),
  ];
}

function each(
  kind: SubjectKind,
  definitions: readonly AdapterDefinition[],
  look: (one: AdapterDefinition) => AsyncIterable<Finding>,
): Look[] {
  return definitions.map((one) => ({ kind, name: one.name, look: () => look(one) }));
}

/** The jobs that dump it; of a source that was named alone, all of the config's. */
function jobsOf(config: Config, chosen: readonly Job[], source: AdapterDefinition): readonly Job[] {
  const own = chosen.filter((job) => job.source.name === source.name);
  return own.length > 0 ? own : [...config.jobs.values()].filter((job) => job.source.name === source.name);
}

function unique(definitions: readonly (AdapterDefinition | undefined)[]): readonly AdapterDefinition[] {
  return [...new Set(definitions.filter((one) => one !== undefined))];
}
