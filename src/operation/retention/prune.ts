/**
 * Applies a job's retention, destination by destination, under the job's run lock. Guarantees: what cannot be listed is
 * not pruned; what cannot be read is protected and pushes nothing out; a deletion that was cut is finished first; only
 * exact names of this job and backups of its own source are touched; a backup in use is left for the next time.
 */

import type { Job } from '../../config/config.ts';
import { DbBackupError, type ErrorCode, explain, messageOf, wrapError } from '../../errors.ts';
import { acquireRunLock } from '../../lock/run-lock.ts';
import { type FutureDeletion, forecast } from '../../retention/forecast.ts';
import { plan } from '../../retention/plan.ts';
import type { Decision, ProtectionRule, Reason, RetentionRules } from '../../retention/retention.ts';
import type { Sidecar } from '../../sidecar/sidecar.ts';
import { plural } from '../../value/figure.ts';
import { type Execution, withExecution } from '../execution.ts';
import { openDestination } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { removeObjects } from '../storage/delete-backup.ts';
import { listBackups } from '../storage/list-backups.ts';
import { removeDrafts } from '../storage/remove-drafts.ts';
import { describeBackup, type OpenDestination, type StoredBackup } from '../storage/stored-backup.ts';
import { adopt } from './adopt.ts';
import { bearsNameOf, type Candidate, isOwn, toCandidates } from './candidate.ts';
import { comingRuns } from './coming-runs.ts';
import { ownFingerprint } from './own-fingerprint.ts';

export interface PruneOptions {
  /** Decide and tell; change nothing. */
  readonly dryRun: boolean;
  /** Take backups of other sources under this job's name for its own, from now on. */
  readonly adopt: boolean;
  /** Days to look ahead; 0 = not at all. */
  readonly forecastDays: number;
  /** Only these of the job's destinations; empty = all. */
  readonly destinations: readonly string[];
  /** Retention of a run, not of a person: nobody is asked, and nothing goes where the run's own backup is not listed. */
  readonly after?: Sidecar;
}

export interface DestinationPrune {
  readonly name: string;
  /** Newest first; after a deletion as it was decided. */
  readonly decisions: readonly Decision<Candidate>[];
  readonly deleted: readonly StoredBackup[];
  /** Deletions of an earlier run that had been cut. */
  readonly finished: readonly StoredBackup[];
  readonly adopted: readonly StoredBackup[];
  readonly future: readonly FutureDeletion<Candidate>[];
  /** What stopped it; `deleted` and `finished` hold what was done before. */
  readonly error?: unknown;
}

export interface PruneResult {
  readonly executionId: string;
  readonly job: string;
  readonly dryRun: boolean;
  readonly destinations: readonly DestinationPrune[];
}

interface Work {
  readonly job: Job;
  readonly options: PruneOptions;
  readonly fingerprint: string;
  readonly execution: Execution;
  readonly runtime: Runtime;
}

/** One failing destination does not keep the others from being pruned; where all fail, the first error is thrown. */
export async function prune(job: Job, options: PruneOptions, runtime: Runtime): Promise<PruneResult> {
  return withExecution({ kind: 'prune', subject: job.name, job: job.name }, runtime, async (execution) => {
    if (!options.dryRun) execution.hold(await lockJob(job, execution, runtime));
    execution.step('prune');
    const fingerprint = options.after?.source.fingerprint ?? (await ownFingerprint(job, runtime));
    const work = { job, options, fingerprint, execution, runtime };
    const destinations: DestinationPrune[] = [];
    for (const { name } of job.destinations) {
      if (options.destinations.length > 0 && !options.destinations.includes(name)) continue;
      destinations.push(await pruneDestination(name, work));
    }
    const failed = destinations.filter((each) => each.error !== undefined);
    if (failed.length > 0 && failed.length === destinations.length) throw failed[0]?.error;
    const value = { executionId: execution.id, job: job.name, dryRun: options.dryRun, destinations };
    return { value, report: { status: failed.length > 0 ? 'partial' : 'completed' } };
  });
}

function lockJob(job: Job, execution: Execution, { stateFolder, host }: Runtime) {
  const holder = { executionId: execution.id, host, pid: process.pid, command: `dbbackup prune ${job.name}` };
  return acquireRunLock({ stateFolder, name: job.name, holder, wait: false, signal: execution.signal });
}

async function pruneDestination(name: string, work: Work): Promise<DestinationPrune> {
  const done: { -readonly [Key in keyof DestinationPrune]: DestinationPrune[Key] } & {
    deleted: StoredBackup[];
    finished: StoredBackup[];
  } = { name, decisions: [], deleted: [], finished: [], adopted: [], future: [] };
  try {
    const on = await openNamed(name, work);
    const listed = await listOwn(on, work);
    if (!work.options.dryRun) await finishCut(listed, done.finished, work);
    const { backups, adopted } = work.options.adopt ? await adopt(listed, work) : { backups: listed, adopted: [] };
    done.adopted = adopted;
    const rules = work.job.retention.get(name) ?? {};
    const candidates = toCandidates(backups, work.fingerprint);
    done.decisions = plan(candidates, rules, new Date());
    done.future = lookAhead(candidates, rules, work);
    if (!work.options.dryRun) done.decisions = await carryOut(done.decisions, done.deleted, name, work);
    await removeDrafts([...done.finished, ...done.deleted], work.execution);
  } catch (error) {
    work.execution.signal.throwIfAborted();
    if (error instanceof DbBackupError && error.code === 'CONSENT_REQUIRED') throw error;
    done.error = wrapError(error, 'DESTINATION_FAILED', `retention of ${work.job.name} at ${name} failed`);
    work.execution.log('warning', explain(done.error));
  }
  return done;
}

function openNamed(name: string, { job, runtime }: Work): Promise<OpenDestination> {
  const definition = job.destinations.find((each) => each.name === name);
  if (!definition) throw new DbBackupError('USAGE', `job ${job.name} has no destination "${name}"`);
  return openDestination(definition, runtime);
}

async function listOwn(on: OpenDestination, { job, options, execution }: Work): Promise<readonly StoredBackup[]> {
  const all = await listBackups(on, `${job.name}/`, execution.signal);
  const backups = all.filter((backup) => bearsNameOf(job.name, backup));
  const { after } = options;
  if (!after || backups.some(({ sidecar, condition }) => sidecar?.id === after.id && condition === 'complete')) {
    return backups;
  }
  throw new DbBackupError('DESTINATION_FAILED', `${on.name} does not list the backup that was just stored there`, {
    hint: 'Nothing was deleted. Look at it with dbbackup list --incomplete.',
  });
}

/** What has neither data nor sidecar left is a mark without a backup, whosever it was. */
async function finishCut(backups: readonly StoredBackup[], finished: StoredBackup[], work: Work): Promise<void> {
  const { execution, runtime, fingerprint } = work;
  for (const backup of backups.filter(({ condition }) => condition === 'deleting')) {
    if (!isOwn(backup, fingerprint) && (backup.object || backup.sidecar)) continue;
    if (await obstacle(backup, runtime, execution)) continue;
    finished.push(backup);
    execution.log('info', `finished the deletion of ${describeBackup(backup)}`);
  }
}

/** What may turn up between the listing and the deletion, and protects the backup. */
const obstacles: Partial<Record<ErrorCode, ProtectionRule>> = {
  BUSY: 'in-use',
  UNSUPPORTED: 'locked',
  SIDECAR_INVALID: 'unreadable',
};

/** Removes the backup, or tells why it stays. */
async function obstacle(backup: StoredBackup, runtime: Runtime, execution: Execution): Promise<Reason | undefined> {
  execution.signal.throwIfAborted();
  try {
    await removeObjects(backup, runtime.stateFolder, execution.signal);
    return undefined;
  } catch (error) {
    const rule = error instanceof DbBackupError ? obstacles[error.code] : undefined;
    if (rule === undefined) throw error;
    return { rule, text: messageOf((error as Error).cause ?? error) };
  }
}

/** Deletes the oldest first and returns the decisions as they turned out. */
async function carryOut(
  decisions: readonly Decision<Candidate>[],
  deleted: StoredBackup[],
  name: string,
  { job, options, execution, runtime }: Work,
): Promise<readonly Decision<Candidate>[]> {
  const doomed = decisions.filter(({ action }) => action === 'delete').reverse();
  if (doomed.length === 0) return decisions;
  if (!options.after) await runtime.consent(`Delete ${plural(doomed.length, 'backup')} of ${job.name} at ${name}?`);
  const spared = new Map<Candidate, Reason>();
  for (const { backup } of doomed) {
    const reason = await obstacle(backup.stored, runtime, execution);
    if (reason) {
      spared.set(backup, reason);
      continue;
    }
    deleted.push(backup.stored);
    execution.log('info', `deleted ${describeBackup(backup.stored)}: no rule keeps it`);
  }
  return decisions.map((decision): Decision<Candidate> => {
    const reason = spared.get(decision.backup);
    return reason ? { backup: decision.backup, action: 'keep', reasons: [reason] } : decision;
  });
}

function lookAhead(candidates: readonly Candidate[], rules: RetentionRules, work: Work): DestinationPrune['future'] {
  const days = work.options.forecastDays;
  const now = new Date();
  return days > 0 ? forecast(candidates, rules, now, days, comingRuns(work.job, candidates, now)) : [];
}
