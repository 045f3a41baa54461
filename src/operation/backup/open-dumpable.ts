/** What a job dumps: the one database of its source, or several of its server as a bundle. */
import type { Job } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import type { SidecarMember } from '../../sidecar/sidecar.ts';
import type { Dump, DumpFormat, Inspection, SourceContext, SourceIdentity } from '../../source/source.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import type { OpenSource } from '../open-adapter.ts';
import { ownPlaces } from '../own-places.ts';
import type { Runtime } from '../runtime.ts';
import { type LoadSteps, loadSteps } from './recovery-recipe.ts';

/** A dump as the pipeline moves it; one with members is a bundle. */
export interface JobDump extends Dump {
  /** Call after the end of the stream. */
  members?(): readonly SidecarMember[];
}

export interface Dumpable {
  /** Of the artifact: a bundle's own, or the engine's. */
  readonly format: Pick<DumpFormat, 'name' | 'extension'>;
  readonly identity: SourceIdentity;
  readonly inspection: Inspection;
  /** As the recipe loads it again. */
  readonly recovery: LoadSteps;
  dump(context: SourceContext): Promise<JobDump>;
}

/** Asks the source, and dumps nothing. Throws what would make the dump fail for certain. */
export async function openDumpable(
  job: Job,
  { type, source, capabilities }: OpenSource,
  given: SourceContext,
  runtime: Runtime,
): Promise<Dumpable> {
  const own = await ownPlaces([job], runtime);
  const context = { ...given, own };
  const { formats } = capabilities;
  const format = job.format === undefined ? formats[0] : formats.find((each) => each.name === job.format);
  if (!format) throw new DbBackupError('CONFIG_INVALID', `jobs.${job.name}.format: unknown format "${job.format}"`);
  const request = { format, backupType: job.backupType, filter: job.filter };
  if (job.databases) return openBundle(job.databases, type, source, request, context);
  const inspection = await source.inspect(context);
  return {
    format,
    identity: source.identity,
    inspection,
    recovery: loadSteps(
      source.recovery?.() ?? type.recovery(format, inspection.databases, false, inspection.toolVersion),
    ),
    dump: (execution) => source.dump(request, { ...execution, own }),
  };
}
