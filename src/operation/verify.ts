/**
 * Reads every stored byte of a backup: size, sha256, authentication, decompression, raw sha256 and the engine's own
 * end-of-dump mark. The result goes into the state file and the history. Where no key was given, what can be told without
 * one is verified, said to be only that, and remembered nowhere.
 */
import { pipeline } from 'node:stream/promises';
import { NoKeyGiven } from '../crypto/wrong-key.ts';
import { DbBackupError, type ErrorCode, explain, wrapError } from '../errors.ts';
import type { BackupState } from '../sidecar/state.ts';
import { checkBundle, drain } from './bundle/check-bundle.ts';
import { type Execution, withExecution } from './execution.ts';
import { openContent, wholeContent } from './restore/open-content.ts';
import { assertReadable } from './restore/refuse-unusable.ts';
import type { Runtime } from './runtime.ts';
import { describeContent, isBundle } from './storage/describe-content.ts';
import { describeBackup, type StoredBackup } from './storage/stored-backup.ts';
import { updateState } from './storage/update-state.ts';

export interface VerifyResult {
  readonly executionId: string;
  readonly backup: StoredBackup;
  /** No key was given: the stored bytes and the encryption header are as recorded, and nothing was opened. */
  readonly unopened: boolean;
  readonly storedBytes: number;
  /** Undefined of what was not opened. */
  readonly rawBytes?: number;
  readonly durationMs: number;
  /** False: neither a sidecar nor its own format tells what it should be; it could be read, and that is all. */
  readonly isKnown: boolean;
  readonly warnings: readonly string[];
}

const verdicts: ReadonlySet<ErrorCode> = new Set(['INTEGRITY', 'LIMIT_EXCEEDED', 'DUMP_INCOMPLETE', 'DUMP_EMPTY']);

/** Throws INTEGRITY, WRONG_KEY, SIGNATURE_INVALID, DUMP_INCOMPLETE … when the backup is not what it should be. */
export async function verify(backup: StoredBackup, runtime: Runtime): Promise<VerifyResult> {
  const subject = { kind: 'verify' as const, subject: describeBackup(backup) };
  return withExecution(subject, runtime, async (execution) => {
    let error: unknown;
    let unopened = false;
    try {
      const measured = await readAsFarAsPossible(backup, execution, runtime);
      unopened = measured.rawBytes === undefined;
      const durationMs = Date.now() - execution.startedAt.getTime();
      const about = { executionId: execution.id, backup, unopened, durationMs };
      const value = { ...about, ...measured, warnings: execution.warnings };
      const { storedBytes, rawBytes } = measured;
      return { value, report: { storedBytes, rawBytes, backupId: backup.sidecar?.id, artifact: backup.key } };
    } catch (cause) {
      error = cause;
      throw asVerdict(cause, `${describeBackup(backup)} ${outcomeOf(cause)}`);
    } finally {
      if (!unopened) await remember(backup, error, execution, runtime);
    }
  });
}

/** A dump found incomplete here is damage of the backup (exit 5), not trouble with a source (exit 3). */
function asVerdict(cause: unknown, message: string): DbBackupError {
  const incomplete = cause instanceof DbBackupError && ['DUMP_INCOMPLETE', 'DUMP_EMPTY'].includes(cause.code);
  return incomplete ? new DbBackupError('INTEGRITY', message, { cause }) : wrapError(cause, 'INTEGRITY', message);
}

/** Trouble that says nothing about the backup is not told as if it did. */
const unproven: Partial<Record<ErrorCode, string>> = {
  SIGNATURE_INVALID: 'is not signed by a trusted key',
  WRONG_KEY: 'could not be verified',
  SECRET_UNAVAILABLE: 'could not be verified',
  DESTINATION_FAILED: 'could not be verified',
  TIMEOUT: 'could not be verified',
  INTERRUPTED: 'was not read to its end',
  TERMINATED: 'was not read to its end',
};

/** The end of a sentence that begins with the backup. */
export function outcomeOf(error: unknown): string {
  const word = error instanceof DbBackupError ? unproven[error.code] : undefined;
  return word ?? 'did not pass verification';
}

type Measured = Pick<VerifyResult, 'storedBytes' | 'rawBytes' | 'isKnown'>;

/** The reading that failed for want of a key has found the encryption header to be the recorded one. */
async function readAsFarAsPossible(backup: StoredBackup, execution: Execution, runtime: Runtime): Promise<Measured> {
  try {
    return await readWhole(backup, execution, runtime);
  } catch (error) {
    if (!backup.sidecar || !isForWantOfKey(error)) throw error;
    const content = await describeContent(backup, () => runtime.decryptor(), runtime.sources, execution.signal);
    const open = await openContent(backup, content, { decrypt: false, decompress: false }, execution, runtime);
    await pipeline(open.stream, drain, { signal: execution.signal });
    return { storedBytes: open.stored().bytes, isKnown: true };
  }
}

function isForWantOfKey(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof NoKeyGiven) return true;
  return false;
}

async function readWhole(backup: StoredBackup, execution: Execution, runtime: Runtime): Promise<Measured> {
  await assertReadable(backup, runtime);
  execution.step('verify');
  const content = await describeContent(backup, () => runtime.decryptor(), runtime.sources, execution.signal);
  if (!backup.sidecar)
    execution.log('warning', `${describeBackup(backup)} has no sidecar: there is no hash to compare with`);
  const type = runtime.sources.find((each) => each.type === content.sourceType);
  const format = type?.capabilities().formats.find((each) => each.name === content.format);
  const open = await openContent(backup, content, wholeContent, execution, runtime);
  if (isBundle(content)) {
    await checkBundle(open.stream, type, backup.sidecar?.bundle?.members, execution.signal);
  } else if (type && format) {
    await pipeline(open.stream, type.endOfDumpCheck(format), drain, { signal: execution.signal });
  } else {
    execution.log(
      'warning',
      `${describeBackup(backup)}: unknown dump format, so its end-of-dump mark was not looked for`,
    );
    await pipeline(open.stream, drain, { signal: execution.signal });
  }
  const [storedBytes, rawBytes] = [open.stored().bytes, open.raw().bytes];
  if (rawBytes === 0) throw new DbBackupError('DUMP_EMPTY', `${describeBackup(backup)} is empty`);
  const { compression, encryption } = content;
  const isKnown = Boolean(backup.sidecar ?? content.format ?? encryption) || compression !== 'none';
  return { storedBytes, rawBytes, isKnown };
}

/**
 * Only a verdict on the backup itself is remembered. An unreachable store, a missing program, a key that does not fit or
 * is not trusted say nothing about it.
 */
async function remember(backup: StoredBackup, error: unknown, execution: Execution, runtime: Runtime): Promise<void> {
  const verdict = error === undefined || (error instanceof DbBackupError && verdicts.has(error.code));
  if (!verdict || !backup.sidecar || backup.condition === 'unreadable') return;
  const failure = error === undefined ? undefined : explain(error);
  const result = failure === undefined ? ('passed' as const) : ('failed' as const);
  await runtime.history.recordValidation({
    kind: 'verify',
    backupId: backup.sidecar.id,
    key: backup.key,
    destination: backup.on.name,
    result,
    error: failure,
  });
  const verification = { at: new Date().toISOString(), kind: 'verify' as const, result, error: failure };
  try {
    const append = ({ verifications }: BackupState) => ({ verifications: [...verifications, verification] });
    await updateState(backup, append, { stateFolder: runtime.stateFolder, signal: execution.signal });
  } catch (cause) {
    execution.log('warning', `the result could not be written beside ${describeBackup(backup)}: ${explain(cause)}`);
  }
}
