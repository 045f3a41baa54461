/** `list`: what the destinations hold, filtered, counted by facet, newest first. */
import type { AdapterDefinition } from '../../config/config.ts';
import { DbBackupError, explain } from '../../errors.ts';
import { choiceHint } from '../choice-hint.ts';
import { openDestination } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { listBackups } from './list-backups.ts';
import { type StoredBackup, startedAt } from './stored-backup.ts';

export interface ListFilter {
  /** Names; empty = every destination of the config. */
  readonly destinations: readonly string[];
  readonly job?: string;
  /** Source type. */
  readonly type?: string;
  readonly since?: Date;
  /** Also orphans, missing and damaged ones, cut deletions. */
  readonly incomplete: boolean;
}

export interface Listing {
  /** Newest first. */
  readonly backups: readonly StoredBackup[];
  /** Facet → value → count, over `backups`. */
  readonly facets: Readonly<Record<'job' | 'type' | 'destination', Readonly<Record<string, number>>>>;
  /** Not shown because `incomplete` was not asked for. */
  readonly hidden: number;
  /** Destinations that could not be read, with the reason. */
  readonly failures: readonly { readonly destination: string; readonly error: unknown }[];
}

/** One unreachable destination does not hide the others; when none can be read, the first error is thrown. */
export async function list(filter: ListFilter, runtime: Runtime): Promise<Listing> {
  const definitions = chosen(filter.destinations, runtime);
  const found: StoredBackup[] = [];
  const failures: { destination: string; error: unknown }[] = [];
  for (const definition of definitions) {
    try {
      const on = await openDestination(definition, runtime);
      found.push(...(await listBackups(on, filter.job === undefined ? '' : `${filter.job}/`, runtime.signal)));
    } catch (error) {
      runtime.signal.throwIfAborted();
      failures.push({ destination: definition.name, error });
    }
  }
  if (failures.length > 0 && failures.length === definitions.length) throw failures[0]?.error;
  const matching = found.filter((backup) => matches(backup, filter));
  const backups = matching.filter((backup) => filter.incomplete || backup.condition === 'complete');
  backups.sort((a, b) => startedAt(b).getTime() - startedAt(a).getTime());
  return { backups, facets: facetsOf(backups), hidden: matching.length - backups.length, failures };
}

/** The definitions behind the names; throws USAGE for one that the config does not have. */
export function chosen(names: readonly string[], runtime: Runtime): readonly AdapterDefinition[] {
  const all = runtime.config?.destinations ?? new Map<string, AdapterDefinition>();
  if (names.length === 0) return [...all.values()];
  return names.map((name) => {
    const definition = all.get(name);
    if (definition) return definition;
    throw new DbBackupError('USAGE', `no destination "${name}" in the config`, {
      hint: choiceHint(name, all.keys()),
    });
  });
}

function matches(backup: StoredBackup, filter: ListFilter): boolean {
  if (filter.job !== undefined && jobOf(backup) !== filter.job) return false;
  if (filter.type !== undefined && backup.sidecar?.source.type !== filter.type) return false;
  return filter.since === undefined || startedAt(backup) >= filter.since;
}

export function jobOf(backup: StoredBackup): string {
  return backup.sidecar?.job.name ?? backup.name?.job ?? '?';
}

function facetsOf(backups: readonly StoredBackup[]): Listing['facets'] {
  const count = (of: (backup: StoredBackup) => string) => {
    const counts: Record<string, number> = {};
    for (const backup of backups) counts[of(backup)] = (counts[of(backup)] ?? 0) + 1;
    return counts;
  };
  return {
    job: count(jobOf),
    type: count((backup) => backup.sidecar?.source.type ?? '?'),
    destination: count((backup) => backup.on.name),
  };
}

/** For messages about one failing destination among several. */
export function describeFailure(failure: Listing['failures'][number]): string {
  return `${failure.destination} could not be read: ${explain(failure.error)}`;
}
