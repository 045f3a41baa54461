/**
 * Old and new data change places at once, then functions are replaced, and only when both are proven the old data is
 * dropped. Guarantees: until then both are on the server; an error says which is where, or that this is unknown.
 */
import { DbBackupError, messageOf, wrapError } from '../../errors.ts';
import type { SourceContext } from '../source.ts';
import { type Facts, readFacts } from './facts.ts';
import { persist, putLibraries } from './put-libraries.ts';
import { Refused, sendCommands } from './send.ts';
import type { Command } from './session.ts';
import { type Load, ownContext, undoLoad } from './undo-load.ts';

/** `before`: what the server holds right now. Returns warnings. */
export async function exchange(
  load: Load,
  before: Facts,
  libraries: Buffer | undefined,
  context: SourceContext,
): Promise<readonly string[]> {
  const { session } = load;
  // From here on it is no longer to be stopped.
  const own = ownContext(context);
  const refused = await swap(load, own);
  if (refused !== undefined) {
    await undoLoad(load, context, refused);
    throw refused;
  }
  const now = await persist(() => readFacts(session, own)).catch((cause: unknown) => {
    throw unknownState(load, cause);
  });
  assertInPlace(load, now);
  try {
    await putLibraries(session, libraries, before.libraries, own);
  } catch (error) {
    throw await swappedBack(load, error, context);
  }
  return await dropOld(load, before, now, own);
}

/** Returns what the server refused it with: then nothing has moved. Throws when it is unknown whether something has. */
async function swap(load: Load, own: SourceContext): Promise<DbBackupError | undefined> {
  const { session, plan } = load;
  const swaps = [...plan.databases].map(([number, beside]): Command => ['SWAPDB', `${number}`, `${beside}`]);
  if (swaps.length === 0) return undefined;
  const operation = `the restore into ${session.label} (the exchange of old and new data)`;
  try {
    await sendCommands(session, [['MULTI'], ...swaps, ['EXEC']], { database: 0, operation }, own);
    return undefined;
  } catch (error) {
    if (error instanceof Refused && /^EXECABORT /m.test(error.said)) return error;
    throw unknownState(load, error);
  }
}

/** Fewer keys than were loaded, and nothing is dropped: the exchange is not proven. */
function assertInPlace(load: Load, now: Facts): void {
  const { rdb, plan } = load;
  const wanted = [...rdb.keys.values()].reduce((sum, keys) => sum + keys, 0);
  const found = [...plan.databases.keys()].reduce((sum, number) => sum + (now.keys.get(number) ?? 0), 0);
  if (found >= wanted - rdb.expiring) return;
  throw unknownState(load, new Error(`where the backup's ${wanted} keys should be there are ${found}`));
}

function unknownState({ session, rdb, plan }: Load, cause: unknown): DbBackupError {
  const pairs = [...plan.databases].map(([number, beside]) => `${number} and ${beside}`).join(', ');
  const wanted = [...rdb.keys].map(([number, keys]) => `db${number} ${keys}`).join(', ');
  return new DbBackupError(
    'TARGET_FAILED',
    `${session.label}: the exchange of the databases ${pairs} was not confirmed, so the old or the new data may be in place (nothing has been deleted): ${messageOf(cause)}`,
    {
      cause,
      hint: `Look at INFO keyspace and at keys on both sides; the backup has ${wanted} keys. If the old data is in place, repeat the restore after FLUSHDB in ${besides(plan)}; if the new is, that FLUSHDB ends it (functions are then not yet replaced).`,
    },
  );
}

function besides(plan: Load['plan']): string {
  return [...plan.databases.values()].join(', ');
}

/** The functions could not be replaced: what to throw. */
async function swappedBack(load: Load, error: unknown, context: SourceContext): Promise<unknown> {
  const { session, plan } = load;
  if (!(error instanceof Refused)) {
    return wrapError(
      error,
      'TARGET_FAILED',
      `${session.label}: the keys of the backup are in place, but whether its functions are is unknown; the old keys lie in the databases ${besides(plan)}`,
      `Compare FUNCTION LIST; then restore again, or FLUSHDB in the databases ${besides(plan)}.`,
    );
  }
  const refused = await swap(load, ownContext(context));
  if (refused !== undefined) {
    return wrapError(
      error,
      'TARGET_FAILED',
      `${session.label}: the keys of the backup are in place, but its functions were refused; the old keys lie in the databases ${besides(plan)}`,
    );
  }
  await undoLoad(load, context, error);
  return error;
}

/** What was live a moment ago and is to be replaced. Where nothing was, nothing is dropped. */
async function dropOld(load: Load, before: Facts, now: Facts, own: SourceContext): Promise<readonly string[]> {
  const { session, plan } = load;
  const aside = new Set(plan.databases.values());
  const old = [...before.keys.keys()].filter((number) => !aside.has(number));
  const dropped = old.map((number) => plan.databases.get(number) ?? number);
  for (const [at, database] of dropped.entries()) {
    const operation = `dropping the old data of ${session.label}`;
    await persist(() => sendCommands(session, [['FLUSHDB', 'ASYNC']], { database, operation }, own)).catch((cause) => {
      const left = dropped.slice(at).join(', ');
      throw wrapError(
        cause,
        'TARGET_FAILED',
        `${session.label}: the backup is in place, but the old data in the databases ${left} could not be dropped`,
        `Drop it: redis-cli -n ${database} FLUSHDB, for each of ${left}.`,
      );
    });
  }
  const late = [...plan.databases].filter(([, beside]) => now.keys.has(beside) && !dropped.includes(beside));
  return late.map(
    ([number, beside]) =>
      `Something wrote to the database ${number} in the last moment of the restore: these keys now lie in ${beside}.`,
  );
}
