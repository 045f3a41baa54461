import { DbBackupError } from '../../errors.ts';
import { formatBytes } from '../../value/figure.ts';
import type { SourceContext } from '../source.ts';
import { type Facts, readFacts, refuseCluster } from './facts.ts';
import type { RdbWalker } from './rdb-walker.ts';
import type { Command, Session } from './session.ts';

export interface TargetServer {
  readonly facts: Facts;
  readonly hasData: boolean;
  readonly abilities: Abilities;
}

/** Looks at the server, changes nothing, and throws when the restore is certain to fail. */
export async function examineServer(session: Session, context: SourceContext): Promise<TargetServer> {
  const facts = await readFacts(session, context);
  refuseCluster(session, facts);
  if (facts.isReplica) {
    throw new DbBackupError('TARGET_FAILED', `${session.label} is a replica, which takes no writes`, {
      hint: 'Restore into its master, or make it one first: REPLICAOF NO ONE.',
    });
  }
  const abilities = await readAbilities(session, context);
  return { facts, hasData: facts.keys.size > 0 || facts.libraries > 0, abilities };
}

export interface Plan {
  /** Where the keys of a database of the backup are loaded. */
  readonly databases: ReadonlyMap<number, number>;
  /** They are loaded beside, and take their places at once. Otherwise right where they belong, which is empty. */
  readonly beside: boolean;
  /** Databases of the target that hold what is to be replaced. */
  readonly old: readonly number[];
}

/** Servers have so many unless their configuration says otherwise; some do not tell. */
const usualDatabases = 16;

/** Throws TARGET_FAILED when old data could not be kept until the new is there. */
export function planLoad(session: Session, { facts, hasData, abilities }: TargetServer, rdb: RdbWalker): Plan {
  const { count, exchange } = abilities;
  const wanted = [...rdb.keys.keys()];
  const missing = wanted.find((number) => number >= count);
  if (missing !== undefined) {
    throw new DbBackupError(
      'TARGET_FAILED',
      `the backup holds database ${missing}, ${session.label} has only ${count}`,
      {
        hint: `Start that server with "databases ${Math.max(...wanted) + 1}" or more.`,
      },
    );
  }
  refuseFull(session, facts, rdb);
  const old = [...facts.keys.keys()];
  const taken = new Set([...wanted, ...old]);
  const spare = Array.from({ length: count }, (_, index) => count - 1 - index).filter((number) => !taken.has(number));
  if (exchange && spare.length >= wanted.length) {
    return { databases: new Map(wanted.map((number, index) => [number, spare[index] ?? number])), beside: true, old };
  }
  if (hasData) {
    throw new DbBackupError(
      'TARGET_FAILED',
      exchange
        ? `${session.label} has ${spare.length} unused databases; ${wanted.length} are needed to keep the old data until the new is there`
        : `${session.label} does not allow SWAPDB, by which the new data takes the place of the old`,
      {
        hint: 'Allow it (a larger "databases", ACL +swapdb), or restore into an empty server (FLUSHALL empties this one).',
      },
    );
  }
  return { databases: new Map(wanted.map((number) => [number, number])), beside: false, old };
}

/** Commands that cannot be meant so: a server that would let them through says what is wrong with them. */
const probes: Readonly<Record<'restore' | 'flush' | 'echo' | 'exchange', Command>> = {
  restore: ['RESTORE', 'dbbackup', 'no-number', 'no-payload'],
  flush: ['FLUSHDB', 'dbbackup'],
  // By which the client finds out that everything has arrived.
  echo: ['ECHO', 'dbbackup'],
  exchange: ['SWAPDB', 'no-number', 'no-number'],
};
const notAllowed = /NOPERM|unknown command/i;

export interface Abilities {
  readonly count: number;
  /** Databases may change places. */
  readonly exchange: boolean;
}

/** Throws TARGET_FAILED unless keys can be restored, and cleared away again after a failure. */
async function readAbilities(session: Session, context: SourceContext): Promise<Abilities> {
  const names = Object.keys(probes);
  const [databases, ...replies] = await session.ask(
    [['CONFIG', 'GET', 'databases'], ...Object.values(probes)],
    context,
  );
  const refused = names.filter((_, at) => notAllowed.test(replies[at]?.text ?? ''));
  const needed = refused.filter((name) => name !== 'exchange').map((name) => probes[name as keyof typeof probes][0]);
  if (needed.length === 0) {
    const [, told] = /"databases"\n\s*2\) "(\d+)"/.exec(databases?.text ?? '') ?? [];
    const count = told === undefined ? await countDatabases(session, context) : Number(told);
    return { count, exchange: refused.length === 0 };
  }
  throw new DbBackupError('TARGET_FAILED', `${session.label} does not allow ${needed.join(', ')} to this user`, {
    hint: 'A restore needs: ACL SETUSER <user> ~* +@write +restore +select +flushdb +swapdb +info +echo +function +config|get.',
  });
}

/** Of a server that does not tell how many it has: up to the first that cannot be selected. */
async function countDatabases(session: Session, context: SourceContext): Promise<number> {
  const numbers = Array.from({ length: usualDatabases }, (_, number) => `${number}`);
  const replies = await session.ask(
    numbers.map((number) => ['SELECT', number]),
    context,
  );
  const first = replies.findIndex(({ isError }) => isError);
  return first === -1 ? usualDatabases : first;
}

/** A server that evicts would throw away old data, or new, and say nothing. */
function refuseFull(session: Session, facts: Facts, rdb: RdbWalker): void {
  const needed = Number(rdb.auxiliary.get('used-mem') ?? 0);
  if (facts.maxBytes === 0 || facts.usedBytes + needed <= facts.maxBytes) return;
  const held = `${formatBytes(facts.usedBytes)} of ${formatBytes(facts.maxBytes)} (maxmemory) are in use`;
  throw new DbBackupError(
    'TARGET_FAILED',
    `${session.label} has too little memory: ${held}, and the backup needs ${formatBytes(needed)}`,
    { hint: 'Raise its maxmemory for the restore: old and new data are there at the same time.' },
  );
}
