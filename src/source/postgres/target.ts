import { DbBackupError } from '../../errors.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { type Facts, readFacts } from './facts.ts';
import { literal, type Server, type Session } from './session.ts';
import { lookAround, type Surroundings } from './surroundings.ts';

export type TargetRequest = Omit<RestoreRequest, 'input'>;

export interface Target {
  readonly database: string;
  readonly label: string;
  readonly server: Server & { readonly user: string };
  /** Undefined: the database does not exist. */
  readonly facts: Facts | undefined;
  readonly hasData: boolean;
  /** Build `<database>_restore_<id>` and rename it: whenever one transaction cannot do it. What is there beside it now. */
  readonly beside: Surroundings | undefined;
}

/** Looks at the target, changes nothing, and throws when the restore is certain to fail. */
export async function examine(session: Session, request: TargetRequest, context: SourceContext): Promise<Target> {
  refuseCombinations(request);
  const { prefix, preset } = session.options;
  if (prefix !== undefined && preset !== undefined && request.format.name !== 'plain') {
    throw unsupported(
      `preset: ${preset} does not go with a prefix when it is restored`,
      'Restore with a source without the prefix (a forwarded port).',
    );
  }
  const database = request.database ?? session.connection.database ?? (await readFacts(session, context)).database;
  // Both at a time, where it may be needed; whether it is, and its failure matters, the facts tell.
  const around = mayBuildBeside(request) ? lookAround(session, database, context) : undefined;
  around?.catch(() => {});
  const facts = await factsOf(session, database, context, around);
  if (facts === undefined && !request.create) {
    throw new DbBackupError('TARGET_FAILED', `the database ${database} does not exist`, {
      hint: 'Create it, add --create, or name another one with --database.',
    });
  }
  const hasData = facts !== undefined && (await holdsData(session, request, facts, context));
  const isBeside = facts === undefined || request.jobs > 1 || (request.clean && hasData);
  if (isBeside && session.options.preset === 'supabase') {
    throw unsupported(
      '--clean, --create and --jobs would replace the whole database, with what belongs to Supabase',
      'Restore into a new project, or drop what is in your own schemas first.',
    );
  }
  const beside = isBeside ? await around : undefined;
  const server = (facts ?? beside) as Facts | Surroundings;
  await session.suitToLoad(server, context);
  const target = { database, label: session.label(database), server, facts, hasData, beside };
  refuseHopeless(target, request);
  return target;
}

/** Otherwise it is certain that the target itself is loaded into. */
export function mayBuildBeside({ create, clean, jobs }: Pick<TargetRequest, 'create' | 'clean' | 'jobs'>): boolean {
  return create || clean || jobs > 1;
}

const unsupported = (what: string, hint: string) => new DbBackupError('UNSUPPORTED', `PostgreSQL: ${what}`, { hint });

/** What the format, or a restore that stays all or nothing, does not allow. */
function refuseCombinations(request: TargetRequest): void {
  const partial = request.tables.length > 0 || request.dataOnly || request.schemaOnly;
  if (request.format.name === 'plain' && (partial || request.noOwner || request.noPrivileges || request.jobs > 1)) {
    throw unsupported(
      'a plain dump can only be restored whole',
      'Make dumps in the custom format to choose at restore time.',
    );
  }
  if (request.dataOnly && request.schemaOnly)
    throw unsupported('--data-only and --schema-only leave nothing', 'Leave one out.');
  if (!request.dataOnly && request.tables.length === 0) return;
  const what = request.dataOnly ? '--data-only' : '--table';
  if (request.clean)
    throw unsupported(
      `${what} does not go with --clean`,
      'Empty or drop the tables first, or restore everything into another database.',
    );
  if (request.jobs > 1)
    throw unsupported(`${what} does not go with --jobs`, 'It runs as one transaction: leave --jobs out.');
}

async function factsOf(
  session: Session,
  database: string,
  context: SourceContext,
  around?: Promise<Surroundings>,
): Promise<Facts | undefined> {
  try {
    return await readFacts(session, context, database);
  } catch (error) {
    const found = await (around ?? lookAround(session, database, context)).catch(() => undefined);
    if (found === undefined || found.properties !== null) throw error;
    return undefined;
  }
}

async function holdsData(
  session: Session,
  request: TargetRequest,
  facts: Facts,
  context: SourceContext,
): Promise<boolean> {
  // The tables must be there for data alone; rows must not.
  if (request.dataOnly) return facts.rowBytes > 0;
  if (request.tables.length === 0) return facts.objects > 0;
  const names = request.tables.map(literal).join(',');
  const found = await session.ask(
    `SELECT count(*) FROM pg_class WHERE relname IN (${names});`,
    context,
    facts.database,
  );
  return found !== '0';
}

function refuseHopeless({ facts, database, beside, server }: Target, { dataOnly }: TargetRequest): void {
  const mayLoad = beside ? beside.mayCreateDatabases : facts?.mayCreate || dataOnly;
  if (!mayLoad) {
    const needed = beside
      ? 'create databases (a restore with --clean, --create or --jobs is built beside the target)'
      : `create in ${database}`;
    throw new DbBackupError('TARGET_FAILED', `the user ${server.user} may not ${needed}`, {
      hint: beside ? `ALTER ROLE … CREATEDB, or restore into an empty database.` : `GRANT CREATE ON DATABASE … TO …`,
    });
  }
  if (!beside?.users) return;
  throw new DbBackupError('TARGET_IN_USE', `the database ${database} is in use by ${beside.users}`, {
    hint: 'It is replaced as a whole, which needs it for a moment for itself: stop what uses it, or restore into another database.',
  });
}
