/** `list`: what the destinations hold, filtered, counted by facet, sorted, a page at a time. */
import type { AdapterDefinition } from '../../config/config.ts';
import { DbBackupError, explain } from '../../errors.ts';
import { choiceHint } from '../choice-hint.ts';
import { openDestination } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { type Facet, facets, type ListFilter, matches, needsIncomplete } from './facet.ts';
import { listBackups, surveyBackups } from './list-backups.ts';
import { type ListOrder, sortBackups } from './sort-backups.ts';
import type { StoredBackup } from './stored-backup.ts';

export interface ListRequest extends ListFilter {
  /** Names; empty = every destination of the config. */
  readonly destinations: readonly string[];
  /** Also orphans, missing and damaged ones, cut deletions. Implied by a `state` that only such a backup has. */
  readonly incomplete: boolean;
  readonly order?: ListOrder;
  /** Read every sidecar anew, for whoever acts on what it says. */
  readonly fresh?: boolean;
}

export interface Listing {
  /** In the order asked for; newest first without one. */
  readonly backups: readonly StoredBackup[];
  /** Facet → value → count, over `backups`, the most frequent value first. */
  readonly facets: Readonly<Record<Facet, Readonly<Record<string, number>>>>;
  /** Not shown because `incomplete` was not asked for. */
  readonly hidden: number;
  /** Destinations that could not be read, with the reason. */
  readonly failures: readonly { readonly destination: string; readonly error: unknown }[];
}

/** One unreachable destination does not hide the others; when none can be read, the first error is thrown. */
export async function list(request: ListRequest, runtime: Runtime): Promise<Listing> {
  const places = chosen(request.destinations, runtime);
  const failures: { destination: string; error: unknown }[] = [];
  const found = await Promise.all(
    places.map(async (definition) => {
      try {
        return await readDestination(definition, request, runtime);
      } catch (error) {
        runtime.signal.throwIfAborted();
        failures.push({ destination: definition.name, error });
        return [];
      }
    }),
  );
  if (failures.length > 0 && failures.length === places.length) throw failures[0]?.error;
  const matching = found.flat().filter((backup) => matches(backup, request));
  const incomplete = request.incomplete || needsIncomplete(request);
  const backups = sortBackups(
    matching.filter((backup) => incomplete || backup.condition === 'complete'),
    request.order,
  );
  return { backups, facets: countFacets(backups), hidden: matching.length - backups.length, failures };
}

async function readDestination(
  definition: AdapterDefinition,
  { jobs, fresh }: ListRequest,
  runtime: Runtime,
): Promise<StoredBackup[]> {
  const on = await openDestination(definition, runtime);
  const read = fresh ? listBackups : surveyBackups;
  const prefixes = jobs === undefined ? [''] : [...new Set(jobs)].map((job) => `${job}/`);
  const found: StoredBackup[] = [];
  for (const prefix of prefixes) found.push(...(await read(on, prefix, runtime.signal)));
  return found;
}

/** The definitions behind the names; throws USAGE for one that the config does not have. */
export function chosen(names: readonly string[], runtime: Runtime): readonly AdapterDefinition[] {
  return definitions('destination', names, runtime.config?.destinations);
}

export function chosenSources(names: readonly string[], runtime: Runtime): readonly AdapterDefinition[] {
  return definitions('source', names, runtime.config?.sources);
}

function definitions(
  what: string,
  names: readonly string[],
  all: ReadonlyMap<string, AdapterDefinition> = new Map(),
): readonly AdapterDefinition[] {
  if (names.length === 0) return [...all.values()];
  return [...new Set(names)].map((name) => {
    const definition = all.get(name);
    if (definition) return definition;
    throw new DbBackupError('USAGE', `no ${what} "${name}" in the config`, { hint: choiceHint(name, all.keys()) });
  });
}

function countFacets(backups: readonly StoredBackup[]): Listing['facets'] {
  const counted = Object.entries(facets).map(([facet, valuesOf]) => {
    const counts = new Map<string, number>();
    for (const backup of backups) {
      for (const value of valuesOf(backup)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return [facet, Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))];
  });
  return Object.fromEntries(counted) as Listing['facets'];
}

/** For messages about one failing destination among several. */
export function describeFailure(failure: Listing['failures'][number]): string {
  return `${failure.destination} could not be read: ${explain(failure.error)}`;
}
