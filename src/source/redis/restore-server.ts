import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError, messageOf, wrapError } from '../../errors.ts';
import { consume } from '../../process/process.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { readFacts } from './facts.ts';
import { explain, refusal } from './failure.ts';
import { RdbCheck } from './rdb-check.ts';
import type { RdbWalker } from './rdb-walker.ts';
import { libraryPayload, restoreCommands } from './restore-commands.ts';
import type { Command, Session } from './session.ts';
import { examineServer, type Plan, planLoad, type TargetServer } from './target-server.ts';

const cleanupMs = 60_000;
/** A killed client's last commands may lie in the server's buffers for a moment. */
const settleMs = 100;
const quietRounds = 3;
const saidBytes = 1000;
/** A whole line with one of the server's error codes. */
const serverError =
  /^(ERR|BUSYKEY|OOM|MISCONF|READONLY|NOPERM|NOAUTH|LOADING|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|MOVED|WRONGTYPE) .*(?=\n)/m;

/**
 * Key by key into a running server. Where there are unused databases the keys are loaded there, and take the place of
 * the old ones in one transaction at the end; otherwise into an empty server only. After a failure the server is as it
 * was.
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
  try {
    await load(session, path, plan, context);
    await assertLoaded(session, target, rdb, plan, context);
    context.signal.throwIfAborted();
    await putLibraries(session, target, libraries, context);
  } catch (error) {
    await undo(session, plan, context);
    context.signal.throwIfAborted();
    throw error;
  }
  if (plan.beside) await exchange(session, plan, context);
  return { label: session.label, warnings: rdb.hasModuleData ? [moduleData] : [] };
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

async function load(session: Session, path: string, plan: Plan, context: SourceContext): Promise<void> {
  const operation = `the restore into ${session.label}`;
  const spec = await session.spec(context);
  let said = '';
  const client = consume({
    ...spec,
    // The idle timeout is what ends a server that says nothing.
    args: [...spec.args, '--pipe', '--pipe-timeout', '0'],
    onStderr(chunk) {
      said = (said + chunk.toString('utf8', 0, saidBytes)).slice(-saidBytes);
      // It would go on behind an error. What else is on the way (ssh's banners) ends nothing.
      const [line] = serverError.exec(said) ?? [];
      if (line !== undefined) void client.stop(refused(operation, line));
    },
  });
  try {
    await pipeline(Readable.from(fed(path, plan, context), { objectMode: true, highWaterMark: 2 }), client.stdin);
  } catch (error) {
    throw explain(error, operation);
  }
}

async function* fed(path: string, plan: Plan, context: SourceContext): AsyncGenerator<Buffer> {
  const total = { bytes: (await stat(path)).size, exact: true };
  for await (const { bytes, offset } of restoreCommands(path, plan.databases)) {
    context.progress?.(offset, offset, total);
    yield bytes;
  }
}

function refused(operation: string, said: string): DbBackupError {
  const message = `${operation} failed: ${said.trim()}`;
  const known = refusal(said, message);
  return new DbBackupError('TARGET_FAILED', message, { hint: known?.hint, retryable: known?.retryable });
}

/** What has a time to live may be gone again; nothing else may. */
async function assertLoaded(
  session: Session,
  { facts }: TargetServer,
  rdb: RdbWalker,
  plan: Plan,
  context: SourceContext,
): Promise<void> {
  const now = await readFacts(session, context);
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

/** All or nothing, too: the server takes all libraries of a payload or none. */
async function putLibraries(
  session: Session,
  { facts }: TargetServer,
  payload: Buffer | undefined,
  context: SourceContext,
): Promise<void> {
  const put: Command | undefined = payload && ['FUNCTION', 'RESTORE', payload, 'FLUSH'];
  const flush: Command | undefined = facts.libraries > 0 ? ['FUNCTION', 'FLUSH'] : undefined;
  const command = put ?? flush;
  if (command !== undefined) await demand(session, [command], 'functions', context);
}

/** Old and new data change places at once; then the old is dropped. */
async function exchange(session: Session, plan: Plan, context: SourceContext): Promise<void> {
  const { databases, old } = plan;
  const pairs = [...databases];
  const dropped = [...pairs.map(([, beside]) => beside), ...old.filter((number) => !databases.has(number))];
  const commands = [
    ...pairs.map(([number, beside]): Command => ['SWAPDB', `${number}`, `${beside}`]),
    ...dropped.flatMap((number): Command[] => [
      ['SELECT', `${number}`],
      ['FLUSHDB', 'ASYNC'],
    ]),
  ];
  // Half of it cannot be done, and from here on it is no longer to be stopped.
  const { text, isError } = await session.transact(commands, ownContext(context)).catch((cause: unknown) => {
    const beside = pairs.map(([, number]) => number).join(', ');
    throw wrapError(cause, 'TARGET_FAILED', `the connection broke while the databases ${beside} took their places`);
  });
  if (!isError) return;
  await undo(session, plan, context);
  throw refused(`the restore into ${session.label} (the exchange of old and new data)`, text);
}

/** The execution's own signal may be what ended the restore. */
function ownContext(context: SourceContext): SourceContext {
  return { ...context, signal: AbortSignal.timeout(cleanupMs), idleTimeoutMs: undefined };
}

/** Throws at the first error among the answers. */
async function demand(
  session: Session,
  commands: readonly Command[],
  what: string,
  context: SourceContext,
): Promise<void> {
  const replies = await session.ask(commands, context);
  const failed = replies.find(({ isError }) => isError);
  if (failed !== undefined) throw refused(`the restore into ${session.label} (${what})`, failed.text);
}

/** Empties what was loaded: these databases were empty before. */
async function undo(session: Session, plan: Plan, context: SourceContext): Promise<void> {
  const numbers = [...plan.databases.values()].map(String);
  const own = ownContext(context);
  const flush = numbers.flatMap((number): Command[] => [
    ['SELECT', number],
    ['FLUSHDB', 'ASYNC'],
  ]);
  try {
    for (let quiet = 0; quiet < quietRounds; await delay(settleMs)) {
      const { keys } = await readFacts(session, own);
      if (numbers.every((number) => !keys.has(Number(number)))) quiet += 1;
      else {
        quiet = 0;
        await demand(session, flush, 'clearing up', own);
      }
    }
  } catch (trouble) {
    const left = `what the failed restore left in the databases ${numbers.join(', ')} could not be removed`;
    context.log('warning', `${left}: ${messageOf(trouble)}`);
  }
}
