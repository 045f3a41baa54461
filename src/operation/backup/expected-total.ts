import type { ProgressTotal } from '../event.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenJob } from './backup.ts';

/** Raw bytes to come: the last good runs of the same job know best, then the engine's own estimate. */
export async function expectedTotal(
  open: Pick<OpenJob, 'job' | 'inspection'>,
  runtime: Runtime,
): Promise<ProgressTotal | undefined> {
  const statistics = await runtime.jobStatistics(open.job.name);
  const bytes = statistics?.lastGood?.rawBytes ?? open.inspection.estimatedBytes;
  return bytes === undefined || bytes === 0 ? undefined : { bytes, exact: false };
}
