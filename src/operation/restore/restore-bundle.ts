/**
 * A bundle back into databases of a server. Guarantees: every target is examined, and the whole bundle read and
 * authenticated, before the first target is touched; it is then read once more, and each database commits only after its
 * own bytes have been those of the first reading. Each is all or nothing by itself; the bundle is not: when one fails,
 * those before it stay, and the message says which.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import type { MemberSum } from '../../pipeline/bundle/manifest.ts';
import type { RestoreInput, RestoreRequest } from '../../source/source.ts';
import { checkBundle, drain, openMembers } from '../bundle/check-bundle.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { describeBackup } from '../storage/stored-backup.ts';
import { openBackup, readBackup, untouched } from './open-backup.ts';
import { type BundlePlan, type MemberPlan, planMembers } from './plan-members.ts';
import type { FoundBackup, RestoreDone, RestoreOptions } from './restore.ts';
import { spool } from './write-file.ts';

type Request = Omit<RestoreRequest, 'input' | 'format' | 'database'>;

export async function restoreBundle(
  found: FoundBackup,
  options: RestoreOptions,
  execution: Execution,
  runtime: Runtime,
): Promise<RestoreDone> {
  const recorded = found.backup.sidecar?.bundle?.members;
  const plan = planMembers(recorded ?? (await readMembers(found, execution, runtime)), found, options);
  const { databases: _, map: __, globals: ___, ...chosen } = options;
  const request: Request = { ...chosen, restoreId: found.restoreId };
  await askConsent(plan, request, execution, runtime);
  const label = labelOf(plan, found);
  if (options.dryRun) {
    await openBackup(found, true, execution, runtime);
    return { label, rawBytes: 0 };
  }
  // One database alone cannot be left half done: its own commit waits for its own bytes.
  const isAlone = recorded !== undefined && plan.databases.length === 1 && plan.globals === undefined;
  const expected = isAlone ? recorded : await readWhole(found, execution, runtime);
  await load(isAlone ? unmeasured(found) : found, plan, request, expected, execution, runtime);
  const folders = [...plan.databases.map(({ folder }) => folder), plan.globals];
  const sizes = expected.filter(({ folder }) => folders.includes(folder)).map(({ bytes }) => bytes);
  return { label, rawBytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Its members are held to their sums; damage beyond the wanted one, read or not, is no reason to refuse that. */
function unmeasured(found: FoundBackup): FoundBackup {
  return { ...found, content: { ...found.content, stored: undefined, raw: undefined } };
}

/** Without a sidecar the bundle itself tells what it holds, at its beginning. */
async function readMembers(found: FoundBackup, execution: Execution, runtime: Runtime) {
  const { stream } = await readBackup(found, execution, runtime);
  try {
    return (await openMembers(stream)).manifest.members;
  } catch (cause) {
    throw untouched(found.backup, cause);
  } finally {
    stream.destroy();
  }
}

async function askConsent(
  { databases }: BundlePlan,
  request: Request,
  execution: Execution,
  runtime: Runtime,
): Promise<void> {
  const full: string[] = [];
  for (const { target, format } of databases) {
    const found = await target.examineTarget({ ...request, format }, execution);
    if (found.hasData) full.push(found.label);
  }
  if (full.length === 0) return;
  if (!request.clean) {
    throw new DbBackupError(
      'TARGET_NOT_EMPTY',
      `${full.join(', ')} already ${full.length > 1 ? 'hold' : 'holds'} data`,
      {
        hint: 'Restore into other names with --map, into another server with --to, or replace what is there with --clean.',
      },
    );
  }
  await runtime.consent(`Replace the data in ${full.join(', ')}?`);
}

function labelOf({ databases }: BundlePlan, { target }: FoundBackup): string {
  const names = databases.map(({ name, into }) => (name === into ? name : `${name} as ${into}`));
  return `${target.source.server?.identity.label ?? ''} (${names.join(', ')})`;
}

async function readWhole(found: FoundBackup, execution: Execution, runtime: Runtime): Promise<readonly MemberSum[]> {
  const { backup, target } = found;
  const { stream } = await readBackup(found, execution, runtime);
  execution.step('verify');
  try {
    return await checkBundle(stream, target.type, backup.sidecar?.bundle?.members, execution.signal);
  } catch (cause) {
    stream.destroy();
    throw untouched(backup, cause);
  }
}

async function load(
  found: FoundBackup,
  plan: BundlePlan,
  request: Request,
  expected: readonly MemberSum[],
  execution: Execution,
  runtime: Runtime,
): Promise<void> {
  const { stream } = await readBackup(found, execution, runtime);
  const done: string[] = [];
  try {
    const reader = await openMembers(stream, found.backup.sidecar?.bundle?.members);
    execution.step('restore');
    for await (const member of reader.members(expected)) {
      const database = plan.databases.find(({ folder }) => folder === member.folder);
      if (database) {
        execution.log('info', `restoring ${database.name} into ${database.into}`);
        const properties = found.backup.sidecar?.contents.find(({ name }) => name === database.name)?.properties;
        await loadDatabase(database, member.stream, { ...request, properties }, execution);
        done.push(database.name);
      } else if (member.folder === plan.globals) {
        await loadGlobals(found, member.stream, execution);
      } else {
        await pipeline(member.stream, drain, { signal: execution.signal });
      }
      if (done.length === plan.databases.length) break;
    }
  } catch (cause) {
    throw failure(found, plan, done, cause);
  } finally {
    stream.destroy();
  }
}

async function loadGlobals({ target }: FoundBackup, stream: Readable, execution: Execution): Promise<void> {
  const outcome = await target.source.server?.globals?.restore(stream, execution);
  for (const warning of outcome?.warnings ?? []) execution.log('warning', warning);
}

async function loadDatabase(
  { folder, name, target, format }: MemberPlan,
  stream: Readable,
  request: Request,
  execution: Execution,
): Promise<void> {
  const own = join(await execution.temporaryFolder(), folder.slice(0, 100));
  // What one database needed for a while must not add up.
  const temporaryFolder = async () => {
    await mkdir(own, { recursive: true, mode: 0o700 });
    return own;
  };
  try {
    const input: RestoreInput =
      format.restoreFrom === 'stream'
        ? { kind: 'stream', stream }
        : { kind: 'file', path: await inFile(stream, join(await temporaryFolder(), 'dump'), execution) };
    const outcome = await target.restore({ ...request, format, input }, { ...execution, temporaryFolder });
    for (const warning of outcome.warnings) execution.log('warning', `${name}: ${warning}`);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function inFile(stream: Readable, path: string, { signal }: Execution): Promise<string> {
  await spool(stream, path, signal);
  return path;
}

/** What is done, what is not: each database is as it was, or as it should be. */
function failure({ backup }: FoundBackup, plan: BundlePlan, done: readonly string[], cause: unknown): DbBackupError {
  const left = plan.databases.map(({ name }) => name).filter((name) => !done.includes(name));
  const message = `restore of ${describeBackup(backup)} failed`;
  if (done.length === 0) return wrapError(cause, 'TARGET_FAILED', `${message}; no database was changed`);
  return new DbBackupError('PARTIAL', `${message} half-way: ${done.join(', ')} restored, ${left.join(', ')} not`, {
    cause,
    hint: `Each database is whole or as it was before. Then restore the rest: ${left.map((name) => `--database ${name}`).join(' ')}`,
  });
}
