/**
 * A backup back into a database. Guarantees: the target is examined before a byte is read, the engine commits only
 * after the whole stream has been authenticated and has matched its sidecar, and consent is asked before anything that
 * exists is replaced.
 */
import { join } from 'node:path';
import { DbBackupError, wrapError } from '../../errors.ts';
import { redact } from '../../redact.ts';
import type { DumpFormat, RestoreInput, RestoreOption, RestoreOutcome, RestoreRequest } from '../../source/source.ts';
import { type Execution, withExecution } from '../execution.ts';
import { type OpenSource, openSource, openTarget } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { type ContentDescription, describeContent } from '../storage/describe-content.ts';
import { resolveBackup } from '../storage/find-backup.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import { type OpenContent, openContent, wholeContent } from './open-content.ts';
import { assertReadable } from './refuse-unusable.ts';
import { spool } from './write-file.ts';

export interface RestoreOptions {
  /** A source's name, a URL or a path; undefined = the source that the sidecar names. */
  readonly to?: string;
  readonly database?: string;
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
  const subject = { kind: 'restore' as const, subject: reference };
  return withExecution(subject, runtime, async (execution) => {
    execution.step('examine');
    const plan = await planRestore(reference, options, execution, runtime);
    const label = await askConsent(plan, execution, runtime);
    const open = await openBackup(plan, options.dryRun, execution, runtime);
    const done = open && (await perform(open, plan, execution));
    for (const warning of done?.outcome.warnings ?? []) execution.log('warning', warning);
    const value: RestoreResult = {
      executionId: execution.id,
      backup: plan.backup,
      label: done?.outcome.label ?? label,
      rawBytes: done?.rawBytes ?? 0,
      durationMs: Date.now() - execution.startedAt.getTime(),
      dryRun: options.dryRun,
      warnings: execution.warnings,
    };
    const report = { backupId: plan.backup.sidecar?.id, artifact: plan.backup.key, rawBytes: value.rawBytes };
    return { value, report };
  });
}

interface RestorePlan {
  readonly backup: StoredBackup;
  readonly content: ContentDescription;
  readonly target: OpenSource;
  readonly request: Omit<RestoreRequest, 'input'>;
}

async function planRestore(
  reference: string,
  options: RestoreOptions,
  execution: Execution,
  runtime: Runtime,
): Promise<RestorePlan> {
  const backup = await resolveBackup(reference, runtime);
  await assertReadable(backup, runtime);
  if (!backup.sidecar) {
    execution.log('warning', `${describeBackup(backup)} has no sidecar: read by its name and magic bytes, unchecked`);
  }
  const content = await describeContent(backup, () => runtime.decryptor(), runtime.sources, execution.signal);
  if (options.to !== undefined && redact(options.to) !== options.to) execution.log('warning', seenPassword);
  const target = await chooseTarget(options.to, backup, content, runtime);
  const format = chooseFormat(content, target, backup);
  refuseUnsupported(options, format, target);
  const restoreId = backup.sidecar?.id.slice(0, 6) ?? backup.name?.id6 ?? execution.id.slice(0, 6);
  return { backup, content, target, request: { ...options, format, restoreId } };
}

const seenPassword =
  "a password in --to is seen in the shell's history and by whoever lists processes: write a ~/.pgpass or a ~/.my.cnf, or name a source of the config";

async function chooseTarget(
  to: string | undefined,
  backup: StoredBackup,
  content: ContentDescription,
  runtime: Runtime,
): Promise<OpenSource> {
  if (to !== undefined) return openTarget(to, content.sourceType, runtime);
  const own = backup.sidecar && runtime.config?.sources.get(backup.sidecar.source.name);
  if (own) return openSource(own, runtime);
  throw new DbBackupError('USAGE', `where should ${describeBackup(backup)} be restored to?`, {
    hint: 'Say --to with a source of the config, a URL or the path of a SQLite file; or --output with a file for the plain dump.',
  });
}

function chooseFormat(content: ContentDescription, target: OpenSource, backup: StoredBackup): DumpFormat {
  const { formats } = target.type.capabilities();
  const format = formats.find((each) => each.name === content.format);
  if (format && (content.sourceType === undefined || content.sourceType === target.type.type)) return format;
  const what = content.format
    ? `a ${content.sourceType ?? ''} dump of format ${content.format}`
    : 'of an unknown format';
  throw new DbBackupError('USAGE', `${describeBackup(backup)} is ${what}; ${target.type.type} cannot take it`, {
    hint: `Give a target of the same kind with --to, or write the plain dump to a file with --output.`,
  });
}

/** What the engine or the format cannot do is refused by name, never ignored. */
function refuseUnsupported(options: RestoreOptions, format: DumpFormat, target: OpenSource): void {
  const { restoreOptions } = target.type.capabilities();
  const asked: [RestoreOption, string, boolean][] = [
    ['database', '--database', options.database !== undefined],
    ['create', '--create', options.create],
    ['clean', '--clean', options.clean],
    ['dataOnly', '--data-only', options.dataOnly],
    ['schemaOnly', '--schema-only', options.schemaOnly],
    ['noOwner', '--no-owner', options.noOwner],
    ['noPrivileges', '--no-privileges', options.noPrivileges],
  ];
  const refused = asked
    .filter(([option, , given]) => given && !restoreOptions.includes(option))
    .map(([, flag]) => flag);
  if (options.tables.length > 0 && !format.restoreTables) refused.push('--table');
  if (options.jobs > 1 && !format.parallelRestore) refused.push('--jobs');
  if (refused.length === 0) return;
  throw new DbBackupError(
    'UNSUPPORTED',
    `${refused.join(', ')}: not possible with a ${target.type.type} dump of format ${format.name}`,
    {
      hint: 'Leave the option out; nothing was read or changed.',
    },
  );
}

/** Returns the target's label. */
async function askConsent(plan: RestorePlan, execution: Execution, runtime: Runtime): Promise<string> {
  const { target, request } = plan;
  const found = await target.source.examineTarget(request, execution);
  if (!found.hasData) return found.label;
  if (!request.clean) {
    throw new DbBackupError('TARGET_NOT_EMPTY', `${found.label} already holds data`, {
      hint: 'Restore somewhere else with --to, or replace what is there with --clean.',
    });
  }
  await runtime.consent(`Replace the data in ${found.label}?`);
  return found.label;
}

/** Waits for the key to fit, so that a wrong one is told before the target is touched. A dry run reads no further. */
async function openBackup(
  { backup, content }: RestorePlan,
  dryRun: boolean,
  execution: Execution,
  runtime: Runtime,
): Promise<OpenContent | undefined> {
  if (dryRun && !content.encryption) return undefined;
  execution.step('read');
  const open = await openContent(backup, content, wholeContent, execution, runtime);
  try {
    await open.opened;
  } catch (cause) {
    throw untouched(backup, cause);
  }
  if (!dryRun) return open;
  open.stream.destroy();
  return undefined;
}

async function perform(
  open: OpenContent,
  plan: RestorePlan,
  execution: Execution,
): Promise<{ outcome: RestoreOutcome; rawBytes: number }> {
  const { backup, target, request } = plan;
  const input = await openInput(open, plan, execution);
  execution.step('restore');
  try {
    const outcome = await target.source.restore({ ...request, input }, execution);
    return { outcome, rawBytes: open.raw().bytes };
  } catch (cause) {
    open.stream.destroy();
    throw wrapError(cause, 'TARGET_FAILED', `restore of ${describeBackup(backup)} failed`);
  }
}

async function openInput(open: OpenContent, plan: RestorePlan, execution: Execution): Promise<RestoreInput> {
  const { format, jobs } = plan.request;
  if (format.restoreFrom === 'stream' && jobs <= 1) return { kind: 'stream', stream: open.stream };
  const path = join(await execution.temporaryFolder(), 'dump');
  try {
    await spool(open.stream, path, execution.signal);
  } catch (cause) {
    throw untouched(plan.backup, cause);
  }
  return { kind: 'file', path };
}

function untouched(backup: StoredBackup, cause: unknown): DbBackupError {
  return wrapError(cause, 'TARGET_FAILED', `reading ${describeBackup(backup)} failed; the target was not touched`);
}
