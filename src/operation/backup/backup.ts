/**
 * The main use case: one job, once. dump → meter → compress → encrypt → meter → put → stat → sidecar last.
 * Guarantees: a data object without its sidecar is not a backup, and a sidecar is written only after the data object
 * lies whole at its destination; whatever fails leaves nothing visible of this run and touches nothing older.
 */
import { randomUUID } from 'node:crypto';
import type { Job } from '../../config/config.ts';
import type { Encryptor } from '../../crypto/encryption.ts';
import { acquireRunLock } from '../../lock/run-lock.ts';
import { codecs } from '../../pipeline/compression/all.ts';
import { formatArtifactName } from '../../sidecar/artifact-name.ts';
import type { Sidecar } from '../../sidecar/sidecar.ts';
import { guardAgainstAnomaly } from '../anomaly/guard.ts';
import { keepConfig } from '../config-copy/keep-config.ts';
import { type Execution, type ExecutionReport, withExecution } from '../execution.ts';
import { withHooks } from '../hook/with-hooks.ts';
import { type OpenSource, openDestination, openEncryption, openSource } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { openSigner } from '../signing.ts';
import type { OpenDestination } from '../storage/stored-backup.ts';
import { composeSidecar } from './compose-sidecar.ts';
import { expectedTotal } from './expected-total.ts';
import { type Dumpable, openDumpable } from './open-dumpable.ts';
import { publish, withdraw } from './publish.ts';
import { transfer } from './transfer.ts';
import { isTriedAgain } from './with-retries.ts';

/** A silent dump tool is given up after this time unless the job says otherwise. */
export const defaultIdleTimeoutMs = 60 * 60 * 1000;

export interface BackupOptions {
  /** Wait for the job's lock instead of failing with BUSY. */
  readonly wait: boolean;
  readonly note?: string;
  /** Only these of the job's destinations; empty = all. */
  readonly destinations: readonly string[];
  /** Tries of this run before this one. */
  readonly retryCount?: number;
  /** Tries that may follow. */
  readonly triesLeft?: number;
}

export interface DestinationOutcome {
  readonly name: string;
  readonly label: string;
  readonly status: 'completed' | 'failed';
  readonly key: string;
  readonly error?: unknown;
}

export interface BackupResult {
  readonly executionId: string;
  readonly job: string;
  readonly status: 'completed' | 'partial' | 'suspect';
  /** Why the backup is out of proportion. */
  readonly suspect?: string;
  /** False: the anomaly guard could not look at it. */
  readonly compared: boolean;
  readonly sidecar: Sidecar;
  readonly key: string;
  readonly destinations: readonly DestinationOutcome[];
  readonly warnings: readonly string[];
  /** Those of the warnings that make the exit code 8. */
  readonly troubles: readonly string[];
}

/** Everything opened before the dump starts, so that a wrong setting fails before a byte is read. */
export interface OpenJob extends Dumpable {
  readonly job: Job;
  readonly source: OpenSource;
  readonly destinations: readonly OpenDestination[];
  readonly encryptor?: Encryptor;
  readonly sign?: (sidecar: Sidecar) => Sidecar;
}

/** Throws BUSY, or what failed first; a partial result (some destinations failed) is returned, not thrown. */
export async function backUp(job: Job, options: BackupOptions, runtime: Runtime): Promise<BackupResult> {
  const subject = {
    kind: 'backup' as const,
    subject: job.name,
    job: job.name,
    idleTimeoutMs: job.timeouts.idleMs ?? defaultIdleTimeoutMs,
    totalTimeoutMs: job.timeouts.totalMs,
    details: {
      compression: job.compression.type,
      level: job.compression.level,
      backupType: job.backupType,
      filter: job.filter,
      note: options.note,
      retryCount: options.retryCount,
    },
  };
  return withExecution(subject, runtime, async (execution) => {
    const lock = await lockJob(job, options.wait, execution, runtime);
    try {
      const isFinal = (error: unknown) => !isTriedAgain(error, options.triesLeft ?? 0, runtime.signal);
      const value = await withHooks(job, execution, runtime, isFinal, async () =>
        makeBackup(await openJob(job, options, execution, runtime), options, execution, runtime),
      );
      return { value, report: reportOf(value) };
    } finally {
      await lock.release();
    }
  });
}

async function lockJob(job: Job, wait: boolean, execution: Execution, runtime: Runtime) {
  return acquireRunLock({
    stateFolder: runtime.stateFolder,
    name: job.name,
    holder: { executionId: execution.id, host: runtime.host, pid: process.pid, command: `dbbackup run ${job.name}` },
    wait,
    signal: execution.signal,
    onWait: (holder) => {
      const who = holder ? ` (${holder.command}, pid ${holder.pid} on ${holder.host}, since ${holder.since})` : '';
      execution.step('waiting');
      execution.log('info', `waiting for another run of ${job.name}${who}`);
    },
  });
}

async function openJob(job: Job, options: BackupOptions, execution: Execution, runtime: Runtime): Promise<OpenJob> {
  const wanted = job.destinations.filter(
    (each) => options.destinations.length === 0 || options.destinations.includes(each.name),
  );
  const source = await openSource(job.source, runtime);
  const destinations: OpenDestination[] = [];
  for (const definition of wanted) destinations.push(await openDestination(definition, runtime));
  const profile = job.encryption && (await openEncryption(job.encryption, runtime));
  const encryptor = await profile?.encryptor(job.encryption?.name);
  const sign = await openSigner(runtime);
  execution.step('inspect');
  const dumpable = await openDumpable(job, source, execution, runtime);
  for (const warning of dumpable.inspection.warnings) execution.log('warning', warning);
  return { job, source, destinations, encryptor, sign, ...dumpable };
}

async function makeBackup(
  open: OpenJob,
  options: BackupOptions,
  execution: Execution,
  runtime: Runtime,
): Promise<BackupResult> {
  const id = randomUUID();
  const { name } = open.job;
  const extensions = `${open.format.extension}${codecs[open.job.compression.type].extension}${open.encryptor?.extension ?? ''}`;
  const artifact = formatArtifactName({ job: name, startedAt: execution.startedAt, id6: id.slice(0, 6), extensions });
  const key = `${name}/${artifact}`;
  const total = await expectedTotal(open, runtime);
  let sidecar: Sidecar;
  let destinations: readonly DestinationOutcome[];
  try {
    const moved = await transfer(open, key, total, execution, runtime);
    execution.step('publish');
    const unsigned = composeSidecar({ id, artifact, note: options.note, open, moved, execution, runtime });
    sidecar = open.sign?.(unsigned) ?? unsigned;
    destinations = await publish(sidecar, key, moved, open.destinations, execution, runtime);
  } catch (error) {
    await withdraw(key, open.destinations, execution);
    throw error;
  }
  const published = open.destinations.filter((_, index) => destinations[index]?.status === 'completed');
  const limits = open.job.anomaly;
  const { suspect, compared } = limits
    ? await guardAgainstAnomaly(sidecar, key, published, limits, execution, runtime)
    : { compared: true };
  await keepConfig(published, open.encryptor, execution, runtime);
  const failed = published.length < destinations.length;
  return {
    executionId: execution.id,
    job: name,
    status: suspect === undefined ? (failed ? 'partial' : 'completed') : 'suspect',
    suspect,
    compared,
    sidecar,
    key,
    destinations,
    warnings: execution.warnings,
    troubles: execution.troubles,
  };
}

function reportOf(result: BackupResult): ExecutionReport {
  const { artifact, encryption, id } = result.sidecar;
  return {
    status: result.status,
    rawBytes: artifact.rawBytes,
    storedBytes: artifact.storedBytes,
    rawSha256: artifact.rawSha256,
    storedSha256: artifact.storedSha256,
    artifact: artifact.name,
    backupId: id,
    encryptionFingerprint: encryption?.recipients?.join(',') ?? encryption?.keyId,
  };
}
