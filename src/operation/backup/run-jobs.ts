/** `run`: the named jobs, first in first out, so many at a time; one that fails does not keep the others from running. */
import type { Job } from '../../config/config.ts';
import { DbBackupError, exitCodeOf, exitCodes, explain, messageOf } from '../../errors.ts';
import { choiceHint } from '../choice-hint.ts';
import { type NotifiedOutcome, withNotifications } from '../notify/notify.ts';
import { recoverInterrupted } from '../recover-interrupted.ts';
import { pruneAfterBackup, type RunRetention } from '../retention/prune-after-backup.ts';
import type { Runtime } from '../runtime.ts';
import { type BackupOptions, type BackupResult, backUp } from './backup.ts';
import { checkJob } from './check-job.ts';
import { inQueue } from './in-queue.ts';
import { withRetries } from './with-retries.ts';

export interface RunOptions extends BackupOptions {
  readonly dryRun: boolean;
  /** False: leave older backups alone this time. */
  readonly retention: boolean;
  /** Tries in all, in place of what the job says. */
  readonly attempts?: number;
}

export type JobOutcome =
  | {
      readonly status: 'done';
      readonly job: Job;
      readonly result: BackupResult | { dryRun: string };
      readonly retention: RunRetention;
    }
  | FailedJob;

export interface FailedJob {
  readonly status: 'failed';
  readonly job: Job;
  readonly error: unknown;
}

export interface RunOutcome {
  /** 0, 7 (partial), 8 (good backups, troubles beside them) or, where all failed in one way, that way's code. */
  readonly exitCode: number;
  /** What to show at the end: the only job's failure, or a summary of several that were told one by one. */
  readonly error?: unknown;
  /** What failed beside the backups: recovery from a crash, hooks, notifications. Makes the exit code 8. */
  readonly troubles: readonly string[];
}

/** Throws USAGE for an unknown job (with the near miss), or when nothing was named. */
export function chooseJobs(names: readonly string[], all: boolean, runtime: Runtime): readonly Job[] {
  const jobs = runtime.config?.jobs ?? new Map<string, Job>();
  const known = [...jobs.keys()].join(', ');
  if (all && names.length > 0) throw new DbBackupError('USAGE', 'name jobs or say --all, not both');
  if (all) return enabledJobs(jobs, runtime);
  if (names.length === 0) {
    throw new DbBackupError('USAGE', 'which job?', { hint: `Name one of ${known}, or say --all.` });
  }
  return [...new Set(names)].map((name) => {
    const job = jobs.get(name);
    if (job) return job;
    throw new DbBackupError('USAGE', `no job "${name}" in ${runtime.config?.file}`, {
      hint: choiceHint(name, jobs.keys()),
    });
  });
}

/** None would be a night without backups that looks like a good one. */
function enabledJobs(jobs: ReadonlyMap<string, Job>, runtime: Runtime): readonly Job[] {
  const enabled = [...jobs.values()].filter((job) => job.enabled);
  if (enabled.length > 0) return enabled;
  const hint = 'Take away enabled: false where a job shall run; a job that is named runs all the same.';
  throw new DbBackupError('USAGE', `no job of ${runtime.config?.file} is enabled`, jobs.size > 0 ? { hint } : {});
}

export async function runJobs(
  jobs: readonly Job[],
  options: RunOptions,
  runtime: Runtime,
  onOutcome: (outcome: JobOutcome) => void,
): Promise<RunOutcome> {
  refuseForeignDestinations(jobs, options.destinations);
  const definitions = jobs.flatMap((job) => job.destinations);
  const troubles = options.dryRun ? [] : [...(await recoverInterrupted(definitions, runtime))];
  const atOnce = runtime.config?.maxConcurrentJobs ?? 1;
  const outcomes = await inQueue(jobs, atOnce, runtime.signal, async (job) => {
    const notified = await runNotified(job, options, runtime);
    troubles.push(...notified.troubles.map((trouble) => `${job.name}: ${trouble}`));
    onOutcome(notified.outcome);
    return notified.outcome;
  });
  const conclusion = stopped(jobs, outcomes, runtime.signal) ?? conclude(outcomes);
  const isTroubled =
    troubles.length > 0 || outcomes.some((each) => each.status === 'done' && each.retention.troubles.length > 0);
  const exitCode = conclusion.exitCode || (isTroubled ? exitCodes.WARNING : 0);
  return { ...conclusion, exitCode, troubles };
}

async function runNotified(job: Job, options: RunOptions, runtime: Runtime): Promise<NotifiedOutcome> {
  if (options.dryRun) return { outcome: await runJob(job, options, runtime), troubles: [] };
  const { outcome, troubles } = await withNotifications(job, runtime, (watched) => runJob(job, options, watched));
  const ofHooks = outcome.status === 'done' && 'troubles' in outcome.result ? outcome.result.troubles : [];
  return { outcome, troubles: [...ofHooks, ...troubles] };
}

async function runJob(job: Job, options: RunOptions, runtime: Runtime): Promise<JobOutcome> {
  try {
    if (options.dryRun)
      return { status: 'done', job, result: await checkJob(job, runtime), retention: { troubles: [] } };
    const retry = { ...job.retry, attempts: options.attempts ?? job.retry.attempts };
    const result = await withRetries(
      retry,
      runtime.signal,
      (retryCount) => backUp(job, { ...options, retryCount, triesLeft: retry.attempts - 1 - retryCount }, runtime),
      (error, waitMs) => {
        const text = `failed, next try in ${waitMs / 1000} s: ${explain(error)}`;
        runtime.emit({ type: 'log', executionId: '', kind: 'backup', subject: job.name, level: 'warning', text });
      },
    );
    const retention = options.retention ? await pruneAfterBackup(job, result, runtime) : { troubles: [] };
    return { status: 'done', job, result, retention };
  } catch (error) {
    return { status: 'failed', job, error };
  }
}

function refuseForeignDestinations(jobs: readonly Job[], wanted: readonly string[]): void {
  for (const job of jobs) {
    const own = job.destinations.map((each) => each.name);
    const foreign = wanted.find((name) => !own.includes(name));
    if (foreign === undefined) continue;
    throw new DbBackupError('USAGE', `job ${job.name} has no destination "${foreign}"`, {
      hint: choiceHint(foreign, own),
    });
  }
}

/** Of jobs that somebody stopped: what came of them, and the code of the stop rather than of a (partial) success. */
function stopped(
  jobs: readonly Job[],
  outcomes: readonly JobOutcome[],
  signal: AbortSignal,
): Pick<RunOutcome, 'exitCode' | 'error'> | undefined {
  const done = outcomes.filter(({ status }) => status === 'done');
  const tellsItself = jobs.length === 1 && outcomes.length === 1;
  if (!signal.aborted || tellsItself || done.length === jobs.length) return undefined;
  const code = signal.reason instanceof DbBackupError ? signal.reason.code : 'INTERRUPTED';
  const missing = jobs.slice(outcomes.length).map(({ name }) => name);
  const rest = missing.length > 0 ? `, not begun: ${missing.join(', ')}` : '';
  const message = `${messageOf(signal.reason)}: ${done.length} of ${jobs.length} jobs done${rest}`;
  return { exitCode: exitCodes[code], error: new DbBackupError(code, message) };
}

function conclude(outcomes: readonly JobOutcome[]): Pick<RunOutcome, 'exitCode' | 'error'> {
  const failed = outcomes.filter((each) => each.status === 'failed');
  const partial = outcomes.some(
    (each) => each.status === 'done' && 'status' in each.result && each.result.status === 'partial',
  );
  const suspect = outcomes.some(
    (each) => each.status === 'done' && 'status' in each.result && each.result.status === 'suspect',
  );
  if (failed.length === 0) return { exitCode: partial ? exitCodes.PARTIAL : suspect ? exitCodes.WARNING : 0 };
  const [first] = failed;
  if (outcomes.length === 1) return { exitCode: exitCodeOf(first?.error), error: first?.error };
  const codes = new Set(failed.map((each) => exitCodeOf(each.error)));
  const sameCode = failed.length === outcomes.length && codes.size === 1;
  const names = failed.map((each) => each.job.name).join(', ');
  const message = `${failed.length} of ${outcomes.length} jobs failed: ${names}`;
  const code = sameCode && first?.error instanceof DbBackupError ? first.error.code : 'PARTIAL';
  return { exitCode: exitCodes[code], error: new DbBackupError(code, message) };
}
