import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { SourceContext } from '../source.ts';
import { type Facts, readFacts } from './facts.ts';
import type { RdbWalker } from './rdb-walker.ts';
import { Refused, sendCommands, sendSteps } from './send.ts';
import type { Session } from './session.ts';
import type { Plan } from './target-server.ts';
import { unlinkCommands } from './unlink-commands.ts';

const cleanupMs = 60_000;
/** Name by name takes longer. */
const cleanupInPlaceMs = 600_000;
/** A killed client's last commands may lie in the server's buffers for a moment. */
const settleMs = 100;
const quietRounds = 3;
const roundsAtMost = 20;

/** What has been loaded, and where to. */
export interface Load {
  readonly session: Session;
  /** The file. */
  readonly path: string;
  readonly rdb: RdbWalker;
  readonly plan: Plan;
}

/** The execution's own signal may be what ended the restore. */
export function ownContext(context: SourceContext, limitMs = cleanupMs): SourceContext {
  return { ...context, signal: AbortSignal.timeout(limitMs), idleTimeoutMs: undefined };
}

/**
 * Clears away what was loaded, and only that: databases beside were empty before and are flushed, unless they hold more
 * than was loaded; where live data may be, keys go by name. Must not run where old and new may have changed places.
 */
export async function undoLoad(load: Load, context: SourceContext, reason: unknown): Promise<void> {
  const { plan } = load;
  const own = ownContext(context, plan.beside ? cleanupMs : cleanupInPlaceMs);
  const where = `in the databases ${[...plan.databases.values()].join(', ')}`;
  if (!plan.beside && reason instanceof Refused && /BUSYKEY/.test(reason.said)) {
    const why = 'somebody else has written keys of the same names';
    context.log('warning', `what the failed restore loaded ${where} was left there: ${why}`);
    return;
  }
  try {
    const left = plan.beside ? await flushBeside(load, own) : await unlinkInPlace(load, own);
    await tellOfFunctions(load, context, own);
    if (left === 0) return;
    context.log('warning', `${left} keys ${where} were left there: somebody else has written some of them`);
  } catch (trouble) {
    const what = `what the failed restore left ${where} could not be removed`;
    context.log('warning', `${what}: ${messageOf(trouble)}`);
  }
}

/** Right in place they come last, and a lost connection leaves open whether they came. */
async function tellOfFunctions(
  { session, rdb, plan }: Load,
  context: SourceContext,
  own: SourceContext,
): Promise<void> {
  if (plan.beside || rdb.libraries.length === 0) return;
  const { libraries } = await readFacts(session, own);
  if (libraries === 0) return;
  context.log('warning', `the server has ${libraries} libraries of functions: the restore may have left them`);
}

/** Returns how many keys it has left alone. */
async function flushBeside({ session, rdb, plan }: Load, own: SourceContext): Promise<number> {
  const operation = 'clearing up';
  for (let quiet = 0, round = 0; ; round += 1) {
    const { keys } = await readFacts(session, own);
    const held = [...plan.databases].map(([number, beside]) => ({
      beside,
      count: keys.get(beside) ?? 0,
      loaded: rdb.keys.get(number) ?? 0,
    }));
    const ours = held.filter(({ count, loaded }) => count > 0 && count <= loaded);
    if (ours.length === 0) quiet += 1;
    else quiet = 0;
    if (quiet === quietRounds || round === roundsAtMost) return held.reduce((sum, { count }) => sum + count, 0);
    for (const { beside } of ours) {
      await sendCommands(session, [['FLUSHDB', 'ASYNC']], { database: beside, operation }, own);
    }
    await delay(settleMs);
  }
}

async function unlinkInPlace({ session, path, plan }: Load, own: SourceContext): Promise<number> {
  const countOf = (facts: Facts) =>
    [...plan.databases.values()].reduce((sum, db) => sum + (facts.keys.get(db) ?? 0), 0);
  let before: number | undefined;
  for (let quiet = 0, round = 0; ; round += 1) {
    const count = countOf(await readFacts(session, own));
    // What another round has not made less is not ours.
    if (count === 0 || count === before) quiet += 1;
    else quiet = 0;
    if (quiet === quietRounds || round === roundsAtMost) return count;
    if (count > 0) await sendSteps(session, unlinkCommands(path, plan.databases), { operation: 'clearing up' }, own);
    before = count;
    await delay(settleMs);
  }
}
