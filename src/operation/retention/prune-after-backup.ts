import type { Job } from '../../config/config.ts';
import { DbBackupError, explain, wrapError } from '../../errors.ts';
import type { BackupResult } from '../backup/backup.ts';
import type { Runtime } from '../runtime.ts';
import { type PruneResult, prune } from './prune.ts';

export interface RunRetention {
  readonly result?: PruneResult;
  /** Never hides the backup's own result; makes the exit code 8. */
  readonly troubles: readonly string[];
}

/**
 * Only where rules are set and where this run was fully published; a backup that is suspect, or that could not be
 * compared with those before it, must not push a good one out.
 */
export async function pruneAfterBackup(job: Job, result: BackupResult, runtime: Runtime): Promise<RunRetention> {
  const trusted = result.compared && (result.status === 'completed' || result.status === 'partial');
  const destinations = result.destinations
    .filter((each) => each.status === 'completed' && job.retention.has(each.name))
    .map((each) => each.name);
  if (!trusted || destinations.length === 0 || runtime.signal.aborted) return { troubles: [] };
  try {
    const options = { dryRun: false, adopt: false, forecastDays: 0, destinations, after: result.sidecar };
    const pruned = await prune(job, options, runtime);
    const errors = pruned.destinations.flatMap(({ error }) => (error === undefined ? [] : [error]));
    return { result: pruned, troubles: errors.map(explain) };
  } catch (error) {
    // The run that holds the lock prunes for itself.
    if (error instanceof DbBackupError && error.code === 'BUSY') return { troubles: [] };
    return { troubles: [explain(wrapError(error, 'UNEXPECTED', `after the backup of ${job.name}`))] };
  }
}
