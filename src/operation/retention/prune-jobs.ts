/** `prune`: the named jobs one after the other; one that fails does not keep the others from being pruned. */
import { DbBackupError } from '../../errors.ts';
import { chooseJobs } from '../backup/run-jobs.ts';
import type { Runtime } from '../runtime.ts';
import { type PruneOptions, type PruneResult, prune } from './prune.ts';

export interface PruneOutcome {
  /** Jobs that could not be pruned at all, where others could. */
  readonly failures: readonly { readonly job: string; readonly error: unknown }[];
  /** What to show at the end. */
  readonly error?: unknown;
}

/** Without names: every job that has a retention somewhere. Throws USAGE for an unknown job. */
export async function pruneJobs(
  names: readonly string[],
  options: PruneOptions,
  runtime: Runtime,
  onResult: (result: PruneResult) => void,
): Promise<PruneOutcome> {
  const failures: { job: string; error: unknown }[] = [];
  let partial = false;
  const jobs = names.length > 0 ? chooseJobs(names, false, runtime) : withRetention(runtime);
  for (const job of jobs) {
    try {
      const result = await prune(job, options, runtime);
      partial ||= result.destinations.some((each) => each.error !== undefined);
      onResult(result);
    } catch (error) {
      if (jobs.length === 1 || runtime.signal.aborted || isRefusal(error)) throw error;
      failures.push({ job: job.name, error });
    }
  }
  if (failures.length === 0 && !partial) return { failures };
  const failed = failures.map(({ job }) => job).join(', ');
  const message = failures.length > 0 ? `jobs not pruned: ${failed}` : 'not every destination could be pruned';
  return { failures, error: new DbBackupError('PARTIAL', message) };
}

function withRetention(runtime: Runtime) {
  const jobs = [...(runtime.config?.jobs.values() ?? [])].filter((job) => job.retention.size > 0);
  if (jobs.length > 0) return jobs;
  throw new DbBackupError('USAGE', 'no job has a retention, so everything is kept', {
    hint: 'Add retention to a job; config.example.yaml shows how.',
  });
}

/** A no is a no to the whole command. */
function isRefusal(error: unknown): boolean {
  return error instanceof DbBackupError && error.code === 'CONSENT_REQUIRED';
}
