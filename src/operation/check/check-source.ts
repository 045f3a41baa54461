import type { AdapterDefinition, DatabaseFilter, Job } from '../../config/config.ts';
import { type Finding, ok, warn } from '../../finding.ts';
import type { CheckContext, Source } from '../../source/source.ts';
import { chooseDatabases } from '../bundle/choose-databases.ts';
import { openSource } from '../open-adapter.ts';
import { ownPlaces } from '../own-places.ts';
import { passingFolder } from '../passing-folder.ts';
import type { Runtime } from '../runtime.ts';

/** Silence of a tool after which a doctor gives up. */
const idleTimeoutMs = 60_000;

/** `jobs`: those that dump it. */
export async function* checkSource(
  definition: AdapterDefinition,
  jobs: readonly Job[],
  runtime: Runtime,
): AsyncGenerator<Finding> {
  const { source, type } = await openSource(definition, runtime);
  const folder = passingFolder(runtime.stateFolder);
  const [usual] = type.capabilities().formats;
  const context: CheckContext = {
    signal: runtime.signal,
    idleTimeoutMs,
    temporaryFolder: folder.open,
    log: () => undefined,
    formats: jobs.length > 0 ? jobs.map((job) => job.format ?? usual?.name ?? '') : [usual?.name ?? ''],
    own: await ownPlaces(jobs, runtime),
    filtered: jobs.length > 0 && jobs.every(isFiltered),
  };
  try {
    const bundles = jobs.flatMap(({ databases }) => databases ?? []);
    if (bundles.length === 0 || bundles.length < jobs.length) yield* examine(source, context);
    for (const each of await bundled(source, bundles, context)) yield* examine(each, context);
  } finally {
    await folder.remove();
  }
}

function examine(source: Source, context: CheckContext): AsyncIterable<Finding> {
  return source.check?.(context) ?? inspectOnly(source, context);
}

/** Every database that a bundle holds; the one that the options name may be none of them. */
async function bundled(
  { server }: Source,
  filters: readonly DatabaseFilter[],
  context: CheckContext,
): Promise<readonly Source[]> {
  if (!server || filters.length === 0) return [];
  const known = await server.databases(context);
  const names = new Set(filters.flatMap((filter) => chooseDatabases(filter, known)));
  return [...names].map((name) => server.at(name));
}

async function* inspectOnly(source: Source, context: CheckContext): AsyncGenerator<Finding> {
  const { tool, serverVersion, warnings } = await source.inspect(context);
  yield ok(`${source.identity.label} answers${serverVersion ? ` (${serverVersion})` : ''}; ${tool} is there`);
  for (const text of warnings) yield warn(text, 'See the README on this kind of source.');
}

function isFiltered({ filter, backupType }: Job): boolean {
  return backupType === 'schema' || Object.values(filter).some((patterns) => (patterns?.length ?? 0) > 0);
}
