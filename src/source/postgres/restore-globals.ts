/**
 * Roles and tablespaces on the way back. What the server has already stays as it is: rights and passwords of its own
 * roles are none of a backup's business. New roles come in one transaction; tablespaces know none, and come after it.
 * Refuses: statements that `pg_dumpall --globals-only` does not write.
 */
import type { Readable } from 'node:stream';
import { DbBackupError, wrapError } from '../../errors.ts';
import type { RestoreOutcome, SourceContext } from '../source.ts';
import { type GlobalStatement, readGlobals } from './global-statement.ts';
import type { Session } from './session.ts';

/** Bytes; a hundred thousand roles. */
const limit = 64 * 1024 * 1024;

interface Present {
  readonly roles: readonly string[];
  readonly tablespaces: readonly string[];
  readonly user: string;
  readonly isSuperuser: boolean;
}

const presentQuery = `SELECT json_build_object(
  'roles', (SELECT json_agg(rolname) FROM pg_roles),
  'tablespaces', (SELECT json_agg(spcname) FROM pg_tablespace),
  'user', current_user,
  'isSuperuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
);`;

export async function restoreGlobals(
  session: Session,
  input: Readable,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const statements = readGlobals(await textOf(input));
  const database = await session.maintenanceDatabase(context, []);
  const present = await session.queryJson<Present>(presentQuery, context, database);
  const { roles, tablespaces } = missing(statements, present);
  try {
    if (roles.length > 0) await session.query(inTransaction(roles, present), context, database);
    for (const { text } of tablespaces) await session.query(text, context, database);
  } catch (error) {
    throw wrapError(error, 'TARGET_FAILED', 'the restore of roles and tablespaces failed', hint);
  }
  return { label: session.label(''), warnings: warnings(statements, roles, present) };
}

const hint =
  'No database was touched. Make what is missing (the folder of a tablespace, rights of the user), or restore without roles and tablespaces: --no-globals.';

async function textOf(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > limit) throw new DbBackupError('LIMIT_EXCEEDED', `roles and tablespaces have more than ${limit} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A grant between roles is wanted as soon as one of them is new. */
function missing(statements: readonly GlobalStatement[], present: Present) {
  const isNew = ({ kind, names }: GlobalStatement) =>
    names.some((name) => !present[kind === 'role' ? 'roles' : 'tablespaces'].includes(name));
  const wanted = statements.filter(isNew);
  return {
    roles: wanted.filter(({ kind }) => kind === 'role'),
    tablespaces: wanted.filter(({ kind }) => kind === 'tablespace'),
  };
}

function inTransaction(statements: readonly GlobalStatement[], { isSuperuser }: Present): string {
  const lines = statements.map(({ text }) => (isSuperuser ? text : withoutSuperuser(text)));
  return ['BEGIN;', ...lines, 'COMMIT;'].join('\n');
}

/** A new role has none of these anyway, and only a superuser may say so; nor may others grant in somebody's name. */
function withoutSuperuser(text: string): string {
  const [, head = '', attributes = '', rest = ''] = /^(ALTER ROLE .*? WITH )([A-Z ]+)(.*)$/s.exec(text) ?? [];
  if (head !== '') return `${head}${attributes.replace(/NO(SUPERUSER|REPLICATION|BYPASSRLS) ?/g, '')}${rest}`;
  return text.startsWith('GRANT ') ? text.replace(/ GRANTED BY ("(?:[^"]|"")*"|[^\s";]+);$/, ';') : text;
}

function warnings(
  statements: readonly GlobalStatement[],
  done: readonly GlobalStatement[],
  present: Present,
): readonly string[] {
  const created = (each: GlobalStatement) => each.text.startsWith('CREATE ');
  const left = statements.filter((each) => created(each) && !done.includes(each) && each.kind === 'role');
  const kept = left.flatMap(({ names }) => names).filter((name) => name !== present.user);
  const logins = done.filter(({ text }) => / LOGIN\b/.test(text) && !/ PASSWORD '/.test(text));
  return [
    ...(kept.length === 0 ? [] : [`roles that were there already were left as they are: ${kept.join(', ')}`]),
    ...(logins.length === 0
      ? []
      : [
          `the backup holds no password of: ${logins.flatMap(({ names }) => names).join(', ')} (ALTER ROLE … PASSWORD …)`,
        ]),
  ];
}
