import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { exchange } from './exchange.ts';
import { type Facts, readFacts } from './facts.ts';
import { libraryPayload } from './library-payload.ts';
import { putLibraries } from './put-libraries.ts';
import { RdbCheck } from './rdb-check.ts';
import type { RdbWalker } from './rdb-walker.ts';
import { type RestoreStep, restoreCommands } from './restore-commands.ts';
import { sendSteps } from './send.ts';
import type { Session } from './session.ts';
import { examineServer, type Plan, planLoad, type TargetServer } from './target-server.ts';
import { type Load, undoLoad } from './undo-load.ts';

/**
 * Key by key into a running server. Where there are unused databases the keys are loaded there, and take the place of
 * the old ones in one transaction at the end; otherwise into an empty server only. After a failure the server is as it
 * was, or the error says what is where.
 */
export async function restoreIntoServer(
  session: Session,
  request: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const target = await examineServer(session, context);
  if (target.hasData && !request.clean) {
    throw new DbBackupError('TARGET_NOT_EMPTY', `the server ${session.label} already holds data`, {
      hint: 'Restore into an empty server, or replace all that is in this one with --clean.',
    });
  }
  if (request.input.kind !== 'file') throw new DbBackupError('UNEXPECTED', 'keys are restored from a whole file');
  const { path } = request.input;
  const rdb = await walkThrough(path, context.signal);
  const plan = planLoad(session, target, rdb);
  const libraries = await libraryPayload(path, rdb);
  const load: Load = { session, path, rdb, plan };
  const now = await loadOrUndo(load, target, request, plan.beside ? undefined : libraries, context);
  const late = plan.beside ? await exchange(load, now, libraries, context) : [];
  return { label: session.label, warnings: [...late, ...(rdb.hasModuleData ? [moduleData] : [])] };
}

/** Returns what the server holds right behind the load. `libraries`: of a load that is right in place. */
async function loadOrUndo(
  load: Load,
  target: TargetServer,
  { clean }: RestoreRequest,
  libraries: Buffer | undefined,
  context: SourceContext,
): Promise<Facts> {
  try {
    await loadKeys(load, context);
    const now = await readFacts(load.session, context);
    assertLoaded(load, target, now);
    if (!clean) assertStillEmpty(load, now);
    context.signal.throwIfAborted();
    if (!load.plan.beside) await putLibraries(load.session, libraries, now.libraries, context);
    return now;
  } catch (error) {
    await undoLoad(load, context, error);
    context.signal.throwIfAborted();
    throw error;
  }
}

const moduleData =
  'Data of modules that belongs to no key (MODULE_AUX) was left out: only a restore into a data folder brings it back.';

/** The whole file once before anything is touched: its end, its checksum, and nothing unknown in it. */
async function walkThrough(path: string, signal: AbortSignal): Promise<RdbWalker> {
  const check = new RdbCheck();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), check, nowhere, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  const { unknown } = check.walker;
  if (unknown === undefined) return check.walker;
  throw new DbBackupError('UNSUPPORTED', `the backup holds ${unknown}, which this dbbackup does not know`, {
    hint: 'Restore it into the data folder of a server of that kind: --to /var/lib/redis.',
  });
}

async function loadKeys({ session, path, plan }: Load, context: SourceContext): Promise<void> {
  const operation = `the restore into ${session.label}`;
  await sendSteps(session, watched(path, plan, context), { operation, stopAtError: true }, context);
}

async function* watched(path: string, plan: Plan, context: SourceContext): AsyncGenerator<RestoreStep> {
  const total = { bytes: (await stat(path)).size, exact: true };
  for await (const step of restoreCommands(path, plan.databases)) {
    context.progress?.(step.offset, step.offset, total);
    yield step;
  }
}

/** What has a time to live may be gone again; nothing else may. */
function assertLoaded({ session, rdb, plan }: Load, { facts }: TargetServer, now: Facts): void {
  if (now.evictedKeys > facts.evictedKeys) {
    throw new DbBackupError(
      'TARGET_FAILED',
      `${session.label} has thrown away ${now.evictedKeys - facts.evictedKeys} keys during the restore (maxmemory-policy ${now.evictionPolicy})`,
      { hint: 'Raise its maxmemory for the restore, or set maxmemory-policy noeviction.' },
    );
  }
  const wanted = [...rdb.keys.values()].reduce((sum, keys) => sum + keys, 0);
  const found = [...plan.databases.values()].reduce((sum, number) => sum + (now.keys.get(number) ?? 0), 0);
  if (found <= wanted && found >= wanted - rdb.expiring) return;
  throw new DbBackupError('TARGET_FAILED', `${session.label} holds ${found} of ${wanted} keys after the restore`, {
    hint: 'Something else writes to it, or its memory is full: see INFO and the log of the server.',
  });
}

/** It was empty and nothing was said of replacing: what somebody has written since is not ours to replace either. */
function assertStillEmpty({ session, plan }: Load, now: Facts): void {
  const ours = new Set(plan.databases.values());
  const [number] = [...now.keys.keys()].filter((each) => !ours.has(each));
  if (number === undefined && now.libraries === 0) return;
  const where = number === undefined ? 'functions were loaded' : `something wrote to database ${number}`;
  throw new DbBackupError('TARGET_NOT_EMPTY', `${where} of ${session.label} during the restore`, {
    hint: 'Stop what uses the server and restore into an empty one, or replace all that is in it with --clean.',
  });
}
