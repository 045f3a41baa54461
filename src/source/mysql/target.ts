import { DbBackupError } from '../../errors.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { type Facts, holdsObjects, readFacts } from './facts.ts';
import { identifier, literal, type Session } from './session.ts';

export type TargetRequest = Omit<RestoreRequest, 'input'>;

export interface Target {
  readonly database: string;
  readonly label: string;
  readonly facts: Facts;
  readonly hasData: boolean;
  /** Build `<database>_restore_<id>` and move its tables: where there is data to be replaced. */
  readonly beside: boolean;
}

/** Looks at the target, changes nothing, and throws when the restore is certain to fail. */
export async function examine(session: Session, request: TargetRequest, context: SourceContext): Promise<Target> {
  refuseCombinations(request);
  const database = request.database ?? session.database;
  const facts = await readFacts(session, database, context);
  if (facts.defaults === undefined && (!request.create || request.dataOnly)) {
    throw new DbBackupError('TARGET_FAILED', `the database ${database} does not exist`, {
      hint: 'Create it, add --create, or name another one with --database.',
    });
  }
  const hasData = await holdsData(session, request, facts, context);
  const target = { database, label: session.label(database), facts, hasData, beside: hasData && request.clean };
  if (target.beside) await refuseReferred(session, database, context);
  return target;
}

const unsupported = (what: string, hint: string) => new DbBackupError('UNSUPPORTED', `MySQL: ${what}`, { hint });

function refuseCombinations(request: TargetRequest): void {
  if (request.dataOnly && request.schemaOnly) {
    throw unsupported('--data-only and --schema-only leave nothing', 'Leave one out.');
  }
  if (!request.clean) return;
  const what = request.dataOnly ? '--data-only' : request.tables.length > 0 ? '--table' : undefined;
  if (what === undefined) return;
  throw unsupported(
    `${what} does not go with --clean`,
    'Empty or drop the tables first, or restore everything into another database.',
  );
}

async function holdsData(
  session: Session,
  request: TargetRequest,
  facts: Facts,
  context: SourceContext,
): Promise<boolean> {
  if (request.tables.length > 0 && !request.dataOnly) {
    return facts.tables.some(({ name }) => request.tables.includes(name));
  }
  if (!request.dataOnly) return holdsObjects(facts);
  // The tables must be there for data alone; rows must not.
  const concerned = filledTables(request, facts);
  if (concerned.length === 0) return false;
  const probes = concerned.map((name) => `SELECT EXISTS (SELECT 1 FROM ${identifier(name)});`).join('\n');
  return (await session.query(probes, context, facts.database)).some(([found]) => found === '1');
}

/** The tables that rows alone go into. */
export function filledTables({ tables }: TargetRequest, facts: Facts): string[] {
  const all = facts.tables.filter(({ kind }) => kind === 'table').map(({ name }) => name);
  return tables.length === 0 ? all : all.filter((name) => tables.includes(name));
}

/** A foreign key of another database would go with the old table, and would be lost with it. */
async function refuseReferred(session: Session, database: string, context: SourceContext): Promise<void> {
  const rows = await session.query(
    `SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE
WHERE REFERENCED_TABLE_SCHEMA = ${literal(database)} AND TABLE_SCHEMA <> ${literal(database)} LIMIT 5;`,
    context,
  );
  if (rows.length === 0) return;
  const names = rows.map((row) => row.join('.')).join(', ');
  throw new DbBackupError('TARGET_IN_USE', `foreign keys of ${names} refer to the database ${database}`, {
    hint: 'They would be lost when it is replaced: restore into another database, or drop them first.',
  });
}
