/**
 * A database beside the target: built there, then its tables take the place of the old ones in one RENAME TABLE, and
 * views, triggers, routines and events are created anew, because no statement moves those to another database. They have
 * been created once beside the target by then, so that what does not work shows before anything is touched.
 * Guarantees: until that RENAME the target is untouched, and a failure up to the last statement puts it back.
 */
import { DbBackupError, messageOf } from '../../errors.ts';
import { capture } from '../../process/process.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { type Facts, readFacts } from './facts.ts';
import { explain } from './failure.ts';
import type { Load } from './restore.ts';
import { clientArguments, identifier, type Session } from './session.ts';
import type { Target } from './target.ts';

/** Letters; the servers refuse longer names. */
const longestName = 64;
/** Nobody can interrupt what is neither old nor new. */
const swapMs = 600_000;
/** Seconds to wait for those who use the tables. */
const lockWait = 30;
const patience = `SET SESSION lock_wait_timeout = ${lockWait}, foreign_key_checks = 0;`;

export async function buildBeside(
  session: Session,
  target: Target,
  request: RestoreRequest,
  context: SourceContext,
  load: Load,
): Promise<void> {
  const taken = await leftovers(session, target.database, context);
  const [scratch, old] = [
    freeName(target.database, 'restore', request.restoreId, taken),
    freeName(target.database, 'before', request.restoreId, taken),
  ];
  const own = { ...context, signal: AbortSignal.timeout(swapMs), idleTimeoutMs: undefined };
  const objects: Buffer[] = [];
  await session.query(`CREATE DATABASE ${identifier(scratch)};`, context).catch((cause: unknown) => {
    throw mayNot(target.database, cause);
  });
  try {
    await load(scratch, { withholdEvents: true, onObject: (statement) => objects.push(Buffer.from(statement)) });
    context.signal.throwIfAborted();
    await swap(session, target, { scratch, old, objects: Buffer.concat(objects) }, own);
  } catch (error) {
    await dropUnlessNeeded(session, [scratch, old], own);
    throw error;
  }
  for (const name of [scratch, old]) await drop(session, name, own);
}

/** A connection may break after the server has moved the tables: then the old ones are in `old`. */
async function dropUnlessNeeded(
  session: Session,
  [scratch, old]: readonly [string, string],
  context: SourceContext,
): Promise<void> {
  const moved = await readFacts(session, old, context).then(
    ({ tables }) => tables.length > 0,
    () => true,
  );
  if (!moved) {
    for (const name of [scratch, old]) await drop(session, name, context);
    return;
  }
  context.log('warning', `the databases ${scratch} and ${old} were not dropped, because old tables may be in them`);
}

interface Plan {
  readonly scratch: string;
  readonly old: string;
  /** Script of everything but tables and rows. */
  readonly objects: Buffer;
}

async function swap(session: Session, { database }: Target, plan: Plan, context: SourceContext): Promise<void> {
  const { scratch, old } = plan;
  const [before, built] = [await readFacts(session, database, context), await readFacts(session, scratch, context)];
  const oldObjects = await definitions(session, before, context);
  await session.query(`CREATE DATABASE ${identifier(old)};`, context);
  const moves = [...renames(before, old), ...renames(built, database)];
  const back = [...renames({ ...built, database }, scratch), ...renames({ ...before, database: old }, database)];
  const undo = async (steps: readonly (() => Promise<unknown>)[], cause: unknown) => {
    try {
      for (const step of steps) await step();
    } catch (trouble) {
      throw stuck(database, plan, cause, trouble);
    }
  };
  const run = (statements: readonly string[]) => session.query([patience, ...statements].join('\n'), context);
  const putBack = () => replay(session, database, oldObjects, context);

  try {
    await run([...drops(before, ['trigger', 'event']), ...drops(built, ['trigger']), ...renaming(moves)]);
  } catch (cause) {
    await undo([putBack], cause);
    throw new DbBackupError('TARGET_IN_USE', `the tables of ${database} could not be replaced: ${messageOf(cause)}`, {
      hint: `The old data is as it was. When somebody works in the database for longer than ${lockWait} s at a time, stop that first.`,
      cause,
    });
  }
  try {
    await run(drops(before, ['view', 'routine']));
    await replay(session, database, plan.objects, context);
  } catch (cause) {
    const made = async () => {
      const now = await readFacts(session, database, context);
      await run([...drops(now, ['trigger', 'event', 'view', 'routine']), ...renaming(back)]);
    };
    await undo([made, putBack], cause);
    throw cause;
  }
}

function renames(facts: Pick<Facts, 'database' | 'tables'>, to: string): string[] {
  const place = (database: string, name: string) => `${identifier(database)}.${identifier(name)}`;
  return facts.tables
    .filter(({ kind }) => kind !== 'view')
    .map(({ name }) => `${place(facts.database, name)} TO ${place(to, name)}`);
}

/** One statement, so that the server does all or nothing. */
function renaming(moves: readonly string[]): string[] {
  if (moves.length === 0) return [];
  return [`RENAME TABLE ${moves.join(', ')};`];
}

type Kind = 'trigger' | 'event' | 'view' | 'routine';

function drops(facts: Facts, kinds: readonly Kind[]): string[] {
  const all: Readonly<Record<Kind, readonly (readonly [kind: string, name: string])[]>> = {
    trigger: facts.triggers.map((name) => ['TRIGGER', name]),
    event: facts.events.map((name) => ['EVENT', name]),
    view: facts.tables.filter(({ kind }) => kind === 'view').map(({ name }) => ['VIEW', name]),
    routine: facts.routines.map(({ kind, name }) => [kind, name]),
  };
  const place = (name: string) => `${identifier(facts.database)}.${identifier(name)}`;
  return kinds.flatMap((kind) => all[kind].map(([word, name]) => `DROP ${word} IF EXISTS ${place(name)};`));
}

/** The script that makes the views, triggers, routines and events of a database again, over those that are there. */
async function definitions(session: Session, facts: Facts, context: SourceContext): Promise<Buffer> {
  const { database, defaults } = facts;
  const spec = await session.spec('dump', context);
  const common = [
    '--opt',
    '--no-data',
    '--skip-lock-tables',
    '--default-character-set=utf8mb4',
    '--no-tablespaces',
    '--skip-force',
  ];
  const dump = async (...args: string[]) =>
    (await capture({ ...spec, args: [...spec.args, ...common, ...args] })).stdout;
  const views = facts.tables.filter(({ kind }) => kind === 'view').map(({ name }) => name);
  const programs = ['--no-create-info', '--triggers', '--add-drop-trigger', '--routines', '--events'];
  const parts = [
    ...(defaults ? [`ALTER DATABASE CHARACTER SET ${defaults.characterSet} COLLATE ${defaults.collation};\n`] : []),
    await dump(...programs, '--', database),
    ...(views.length > 0 ? [await dump('--skip-triggers', '--', database, ...views)] : []),
  ];
  return Buffer.from(parts.map((part) => part.replace(/^\/\*M!999999\\-.*\n/, '')).join(''));
}

async function replay(session: Session, database: string, script: Buffer, context: SourceContext): Promise<void> {
  const spec = await session.spec('shell', context);
  const args = [...spec.args, ...clientArguments, `--database=${database}`];
  try {
    await capture({ ...spec, args, stdinPrefix: script });
  } catch (cause) {
    throw explain(cause, `creating the views, triggers, routines and events of ${database}`);
  }
}

function stuck(database: string, { scratch, old }: Plan, cause: unknown, trouble: unknown): DbBackupError {
  return new DbBackupError(
    'TARGET_FAILED',
    `replacing ${database} failed (${messageOf(cause)}), and so did putting the old state back: ${messageOf(trouble)}`,
    { hint: `Nothing was dropped: look for the tables in ${database}, ${scratch} and ${old}.`, cause },
  );
}

function mayNot(database: string, cause: unknown): DbBackupError {
  const pattern = identifier(`${database.replace(/[_%\\]/g, '\\$&')}\\_%`);
  return new DbBackupError('TARGET_FAILED', `no database can be made beside ${database}: ${messageOf(cause)}`, {
    hint: `A restore with --clean is built beside the target: GRANT ALL ON ${pattern}.* TO …; or restore into an empty database.`,
    cause,
  });
}

async function leftovers(session: Session, database: string, context: SourceContext): Promise<readonly string[]> {
  const rows = await session.query('SHOW DATABASES;', context);
  const all = rows.map(([name = '']) => name);
  for (const name of all) {
    const [ending] = /_(restore|before)_[0-9a-f]{6}(_\d+)?$/.exec(name) ?? [];
    if (ending === undefined || name !== nameBeside(database, ending)) continue;
    context.log(
      'warning',
      `the database ${name} was left by an interrupted restore, or belongs to one that is at work: when ${database} is whole, DROP DATABASE ${identifier(name)};`,
    );
  }
  return all;
}

function freeName(database: string, kind: string, id: string, taken: readonly string[]): string {
  for (let count = 1; ; count++) {
    const name = nameBeside(database, `_${kind}_${id}${count === 1 ? '' : `_${count}`}`);
    if (!taken.includes(name)) return name;
  }
}

function nameBeside(database: string, ending: string): string {
  return `${[...database].slice(0, longestName - ending.length).join('')}${ending}`;
}

async function drop(session: Session, name: string, context: SourceContext): Promise<void> {
  const sql = `SET SESSION foreign_key_checks = 0;\nDROP DATABASE IF EXISTS ${identifier(name)};`;
  await session.query(sql, context).catch((error: unknown) => {
    context.log('warning', `the database ${name} could not be dropped: ${messageOf(error)}`);
  });
}
