import type { AdapterDefinition, Job } from '../../config/config.ts';
import { type Finding, ok, warn } from '../../finding.ts';
import type { CheckContext, Source } from '../../source/source.ts';
import { openStateFolder } from '../../state-folder.ts';
import { openSource } from '../open-adapter.ts';
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
  const [usual] = type.capabilities().formats;
  const context: CheckContext = {
    signal: runtime.signal,
    idleTimeoutMs,
    // Only its room is looked at; nothing is written.
    temporaryFolder: () => openStateFolder(runtime.stateFolder),
    log: () => undefined,
    formats: jobs.length > 0 ? jobs.map((job) => job.format ?? usual?.name ?? '') : [usual?.name ?? ''],
    filtered: jobs.length > 0 && jobs.every(isFiltered),
  };
  yield* source.check?.(context) ?? inspectOnly(source, context);
}

async function* inspectOnly(source: Source, context: CheckContext): AsyncGenerator<Finding> {
  const { tool, serverVersion, warnings } = await source.inspect(context);
  yield ok(`${source.identity.label} answers${serverVersion ? ` (${serverVersion})` : ''}; ${tool} is there`);
  for (const text of warnings) yield warn(text, 'See the README on this kind of source.');
}

function isFiltered({ filter, backupType }: Job): boolean {
  return backupType === 'schema' || Object.values(filter).some((patterns) => (patterns?.length ?? 0) > 0);
}
