/** What of dbbackup itself lies on this machine, as sources that are folders of it should know. */
import type { AdapterDefinition, Job } from '../config/config.ts';
import type { OwnPlaces } from '../source/source.ts';
import { openDestination } from './open-adapter.ts';
import type { Runtime } from './runtime.ts';

/**
 * `jobs`: those that dump the source; none for a restore. Secret files are named only where one of them stores what it
 * dumps unencrypted.
 */
export async function ownPlaces(jobs: readonly Job[], runtime: Runtime): Promise<OwnPlaces> {
  const { config, stateFolder } = runtime;
  const used = new Set(jobs.flatMap((job) => job.destinations));
  const all = new Set([...used, ...(config?.destinations.values() ?? [])]);
  const written = [stateFolder];
  const folders = [stateFolder];
  for (const definition of all) {
    const folder = await folderOf(definition, runtime);
    if (folder === undefined) continue;
    folders.push(folder);
    if (used.has(definition)) written.push(folder);
  }
  const isPlain = jobs.some((job) => job.encryption === undefined);
  return { folders, written, secretFiles: isPlain ? (config?.secretFiles ?? []) : [] };
}

/** One that cannot be opened stores nothing; whoever uses it hears why. */
async function folderOf(definition: AdapterDefinition, runtime: Runtime): Promise<string | undefined> {
  // No other kind lies in a folder of this machine, and to look up their secrets may take programs and time.
  if (definition.type !== 'local') return undefined;
  const open = await openDestination(definition, runtime).catch(() => undefined);
  return open?.destination.folder;
}
