/**
 * A backup back into a database. Guarantees: the target is examined before a byte is read, the engine commits only
 * after the whole stream has been authenticated and has matched its sidecar, and consent is asked before anything that
 * exists is replaced.
 */
import { join } from 'node:path';
import { DbBackupError, wrapError } from '../../errors.ts';
import { redact } from '../../redact.ts';
import type { RestoreInput, RestoreOutcome, RestoreRequest } from '../../source/source.ts';
import { type Execution, withExecution } from '../execution.ts';
import type { OpenSource } from '../open-adapter.ts';
import { ownPlaces } from '../own-places.ts';
import type { Runtime } from '../runtime.ts';
import { describeContent, isBundle } from '../storage/describe-content.ts';
import { resolveBackup } from '../storage/find-backup.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import { approachTarget, type EarlyTarget } from './approach-target.ts';
import { chooseFormat, chooseTarget, refuseUnsupported } from './choose-target.ts';
import { openBackup, type ReadableBackup, untouched } from './open-backup.ts';
import type { OpenContent } from './open-content.ts';
import { assertReadable } from './refuse-unusable.ts';
import { restoreBundle } from './restore-bundle.ts';
import { spool } from './write-file.ts';

export interface RestoreOptions {
  /** A source's name, a URL or a path; undefined = the source that the sidecar names. */
  readonly to?: string;
  /** Of a bundle: those to restore, empty = all. Otherwise the target's name, one at most. */
  readonly databases: readonly string[];
  /** Of a bundle, as `name=other name`: what goes into a database of another name. */
  readonly map: readonly string[];
  /** Of a bundle: what belongs to the server; undefined = with all databases, and not with chosen ones. */
  readonly globals?: boolean;
  readonly create: boolean;
  readonly clean: boolean;
  readonly dataOnly: boolean;
  readonly schemaOnly: boolean;
  readonly noOwner: boolean;
  readonly noPrivileges: boolean;
  readonly tables: readonly string[];
  readonly jobs: number;
  /** Examine everything, the key too; read no content, change nothing. */
  readonly dryRun: boolean;
}

export interface RestoreResult {
  readonly executionId: string;
  readonly backup: StoredBackup;
  /** Where the data is now (or would be). */
  readonly label: string;
  readonly rawBytes: number;
  readonly durationMs: number;
  readonly dryRun: boolean;
  readonly warnings: readonly string[];
}

export async function restore(reference: string, options: RestoreOptions, runtime: Runtime): Promise<RestoreResult> {
  const early = await approachTarget(reference, options, runtime);
  try {
    return await restoreTo(early, reference, options, runtime);
  } finally {
    await early?.close();
  }
}

async function restoreTo(
  early: EarlyTarget | undefined,
  reference: string,
  options: RestoreOptions,
  runtime: Runtime,
): Promise<RestoreResult> {
  const subject = { kind: 'restore' as const, subject: reference };
  return withExecution(subject, runtime, async (execution) => {
    execution.step('examine');
    const found = await findReadable(reference, options, early, execution, runtime);
    const done = isBundle(found.content)
      ? await restoreBundle(found, options, execution, runtime)
      : await restoreOne(found, options, execution, runtime);
    const value: RestoreResult = {
      executionId: execution.id,
      backup: found.backup,
      label: done.label,
      rawBytes: done.rawBytes,
      durationMs: Date.now() - execution.startedAt.getTime(),
      dryRun: options.dryRun,
      warnings: execution.warnings,
    };
    const { sidecar, key, object } = found.backup;
    const report = { backupId: sidecar?.id, artifact: key, rawBytes: value.rawBytes, storedBytes: object?.size };
    return { value, report };
  });
}

/** Where the data is now (or would be), and how much of it came. */
export interface RestoreDone {
  readonly label: string;
  readonly rawBytes: number;
}

/** A backup that may be read, and the target that was asked for. */
export interface FoundBackup extends ReadableBackup {
  readonly target: OpenSource;
  readonly restoreId: string;
}

async function findReadable(
  reference: string,
  options: RestoreOptions,
  early: EarlyTarget | undefined,
  execution: Execution,
  runtime: Runtime,
): Promise<FoundBackup> {
  const backup = await resolveBackup(reference, runtime);
  await assertReadable(backup, runtime);
  if (!backup.sidecar) {
    execution.log('warning', `${describeBackup(backup)} has no sidecar: read by its name and magic bytes, unchecked`);
  }
  const content = await describeContent(backup, () => runtime.decryptor(), runtime.sources, execution.signal);
  if (options.to !== undefined && redact(options.to) !== options.to) execution.log('warning', seenPassword);
  const target = await chooseTarget(options.to, backup, content, early, runtime);
  const restoreId = backup.sidecar?.id.slice(0, 6) ?? backup.name?.id6 ?? execution.id.slice(0, 6);
  return { backup, content, target, restoreId };
}

const seenPassword =
  "a password in --to is seen in the shell's history and by whoever lists processes: write a ~/.pgpass or a ~/.my.cnf, set REDISCLI_AUTH, or name a source of the config";

interface RestorePlan extends FoundBackup {
  readonly request: Omit<RestoreRequest, 'input'>;
}

async function restoreOne(
  found: FoundBackup,
  options: RestoreOptions,
  execution: Execution,
  runtime: Runtime,
): Promise<RestoreDone> {
  const { backup, content, target, restoreId } = found;
  const format = chooseFormat(content, target, backup);
  refuseUnsupported(options, format, target);
  refuseBundleOptions(options);
  const properties = backup.sidecar?.contents[0]?.properties;
  const plan = { ...found, request: { ...options, database: options.databases[0], format, restoreId, properties } };
  const label = await askConsent(plan, execution, runtime);
  const open = await openBackup(plan, options.dryRun, execution, runtime);
  const done = open && (await perform(open, plan, execution, runtime));
  for (const warning of done?.outcome.warnings ?? []) execution.log('warning', warning);
  return { label: done?.outcome.label ?? label, rawBytes: done?.rawBytes ?? 0 };
}

function refuseBundleOptions({ databases, map, globals }: RestoreOptions): void {
  const refused = [
    ...(databases.length > 1 ? ['--database more than once'] : []),
    ...(map.length > 0 ? ['--map'] : []),
    ...(globals === undefined ? [] : [globals ? '--globals' : '--no-globals']),
  ];
  if (refused.length === 0) return;
  throw new DbBackupError('USAGE', `${refused.join(', ')}: this backup is of one database, no bundle`, {
    hint: 'Leave it out. --database names the one to restore into.',
  });
}

/** Returns the target's label. */
async function askConsent(plan: RestorePlan, execution: Execution, runtime: Runtime): Promise<string> {
  const { target, request } = plan;
  const found = await target.source.examineTarget(request, { ...execution, own: await ownPlaces([], runtime) });
  if (!found.hasData) return found.label;
  if (!request.clean) {
    throw new DbBackupError(
      'TARGET_NOT_EMPTY',
      found.isUnknown ? `nobody can tell whether ${found.label} holds data` : `${found.label} already holds data`,
      {
        hint: 'Restore somewhere else with --to, or replace what is there with --clean.',
      },
    );
  }
  await runtime.consent(`Replace the data in ${found.label}?`);
  return found.label;
}

async function perform(
  open: OpenContent,
  plan: RestorePlan,
  execution: Execution,
  runtime: Runtime,
): Promise<{ outcome: RestoreOutcome; rawBytes: number }> {
  const { backup, target, request } = plan;
  const input = await openInput(open, plan, execution);
  execution.step('restore');
  try {
    const outcome = await target.source.restore(
      { ...request, input },
      { ...execution, own: await ownPlaces([], runtime) },
    );
    return { outcome, rawBytes: open.raw().bytes };
  } catch (cause) {
    open.stream.destroy();
    throw wrapError(cause, 'TARGET_FAILED', `restore of ${describeBackup(backup)} failed`);
  }
}

async function openInput(open: OpenContent, plan: RestorePlan, execution: Execution): Promise<RestoreInput> {
  if (plan.request.format.restoreFrom === 'stream') return { kind: 'stream', stream: open.stream };
  const path = join(await execution.temporaryFolder(), 'dump');
  try {
    await spool(open.stream, path, execution.signal);
  } catch (cause) {
    throw untouched(plan.backup, cause);
  }
  return { kind: 'file', path };
}
