import type { Job } from '../../config/config.ts';
import { sourceFingerprint } from '../../sidecar/sidecar.ts';
import { openSource } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';

/** Of the job's source as the config has it now; nothing is connected to. Throws when its settings cannot be had. */
export async function ownFingerprint(job: Job, runtime: Runtime): Promise<string> {
  const { source } = await openSource(job.source, runtime);
  return sourceFingerprint(source.identity.fingerprintParts);
}
