/** What a wizard wants to know of a source that is in no config yet. */
import type { AdapterDefinition } from '../../config/config.ts';
import type { Inspection, Source, SourceContext } from '../../source/source.ts';
import { openSource } from '../open-adapter.ts';
import { passingFolder } from '../passing-folder.ts';
import type { Runtime } from '../runtime.ts';

/** Silence of a tool after which a question is given up. */
const idleTimeoutMs = 60_000;

/** Can it be reached, and what is it? Throws what `Source.inspect` throws. */
export function inspectSource(
  definition: AdapterDefinition,
  runtime: Runtime,
): Promise<{ readonly label: string; readonly inspection: Inspection }> {
  return ask(definition, runtime, async (source, context) => ({
    label: source.identity.label,
    inspection: await source.inspect(context),
  }));
}

/** Names of the databases of its server; undefined for engines without such. */
export function databasesOf(definition: AdapterDefinition, runtime: Runtime): Promise<readonly string[] | undefined> {
  return ask(definition, runtime, async ({ server }, context) => server?.databases(context));
}

async function ask<Answer>(
  definition: AdapterDefinition,
  runtime: Runtime,
  question: (source: Source, context: SourceContext) => Promise<Answer>,
): Promise<Answer> {
  const folder = passingFolder(runtime.stateFolder);
  try {
    const { source } = await openSource(definition, runtime);
    const context = { signal: runtime.signal, idleTimeoutMs, temporaryFolder: folder.open, log: () => undefined };
    return await question(source, context);
  } finally {
    await folder.remove();
  }
}
