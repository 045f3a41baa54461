import { DbBackupError } from '../../errors.ts';
import { formatBytes } from '../../value/figure.ts';
import type { SourceContext } from '../source.ts';
import { type Facts, readFacts, refuseCluster } from './facts.ts';
import type { RdbWalker } from './rdb-walker.ts';
import { rightsToRestore } from './rights.ts';
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
}

/** Servers have so many unless their configuration says otherwise; some do not tell. */
const usualDatabases = 16;

/** Throws TARGET_FAILED when old data could not be kept until the new is there. */
export function planLoad(session: Session, { facts, hasData, abilities }: TargetServer, rdb: RdbWalker): Plan {
  const { count, noExchange } = abilities;
  const exchange = noExchange.length === 0;
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
  if (!abilities.functions && (rdb.libraries.length > 0 || facts.libraries > 0)) {
    throw notAllowedTo(session, 'FUNCTION');
  }
  refuseFull(session, facts, rdb);
  const taken = new Set([...wanted, ...facts.keys.keys()]);
  const spare = Array.from({ length: count }, (_, index) => count - 1 - index).filter((number) => !taken.has(number));
  if (exchange && spare.length >= wanted.length) {
    return { databases: new Map(wanted.map((number, index) => [number, spare[index] ?? number])), beside: true };
  }
  if (hasData) {
    throw new DbBackupError(
      'TARGET_FAILED',
      exchange
        ? `${session.label} has ${spare.length} unused databases; ${wanted.length} are needed to keep the old data until the new is there`
        : `${session.label} does not allow ${noExchange.join(', ')}, by which the new data takes the place of the old`,
      {
        hint: 'Allow it (a larger "databases", ACL +swapdb +multi +exec), or restore into an empty server (FLUSHALL empties this one).',
      },
    );
  }
  return { databases: new Map(wanted.map((number) => [number, number])), beside: false };
}

/**
 * Commands that cannot be meant so: a server that would let them through says what is wrong with them. The last one opens
 * a transaction, which ends with the connection.
 */
const probes = {
  select: ['SELECT', 'no-number'],
  restore: ['RESTORE', 'dbbackup', 'no-number', 'no-payload'],
  flush: ['FLUSHDB', 'dbbackup'],
  // By which the client finds out that everything has arrived.
  echo: ['ECHO', 'dbbackup'],
  functions: ['FUNCTION', 'RESTORE', 'no-payload', 'no-policy'],
  swap: ['SWAPDB', 'no-number', 'no-number'],
  exec: ['EXEC'],
  multi: ['MULTI'],
} satisfies Readonly<Record<string, Command>>;
type Ability = keyof typeof probes;
const abilitiesInOrder = Object.keys(probes) as readonly Ability[];
/** Without these nothing is restored; the others are needed for an exchange, or for functions. */
const always: readonly Ability[] = ['select', 'restore', 'flush', 'echo'];
const forExchange: readonly Ability[] = ['swap', 'multi', 'exec'];
const notAllowed = /NOPERM|unknown command/i;

export interface Abilities {
  readonly count: number;
  /** Commands by which databases change places and which are refused: none, and they may. */
  readonly noExchange: readonly string[];
  readonly functions: boolean;
}

/** Throws TARGET_FAILED unless keys can be restored, and cleared away again after a failure. */
async function readAbilities(session: Session, context: SourceContext): Promise<Abilities> {
  const [databases, ...replies] = await session.ask(
    [['CONFIG', 'GET', 'databases'], ...Object.values(probes)],
    context,
  );
  const refused = new Set(abilitiesInOrder.filter((_, at) => notAllowed.test(replies[at]?.text ?? '')));
  const namesOf = (abilities: readonly Ability[]) =>
    abilities.filter((each) => refused.has(each)).map((each) => `${probes[each][0]}`);
  const needed = namesOf(always);
  if (needed.length > 0) throw notAllowedTo(session, needed.join(', '));
  const [, told] = /"databases"\n\s*2\) "(\d+)"/.exec(databases?.text ?? '') ?? [];
  const count = told === undefined ? await countDatabases(session, context) : Number(told);
  return { count, noExchange: namesOf(forExchange), functions: !refused.has('functions') };
}

function notAllowedTo(session: Session, commands: string): DbBackupError {
  return new DbBackupError('TARGET_FAILED', `${session.label} does not allow ${commands} to this user`, {
    hint: `A restore needs: ACL SETUSER <user> ${rightsToRestore}.`,
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
