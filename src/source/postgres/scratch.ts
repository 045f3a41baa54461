/**
 * A database beside the target: built, then given the target's name. Guarantees: until the one transaction that renames
 * both, the target is untouched; a failed build leaves nothing.
 */
import { DbBackupError, messageOf } from '../../errors.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { identifier, literal, type Session } from './session.ts';
import type { DatabaseProperties, Neighbour, Surroundings } from './surroundings.ts';
import type { Target } from './target.ts';

/** Bytes; PostgreSQL cuts longer names off without a word. */
const longestName = 63;
const cleanupMs = 15_000;

/** Calls `build` with the name of a new empty database that ends up as the target. */
export async function buildBeside(
  session: Session,
  target: Target,
  around: Surroundings,
  { restoreId, properties }: Pick<RestoreRequest, 'restoreId' | 'properties'>,
  context: SourceContext,
  build: (database: string) => Promise<void>,
): Promise<void> {
  for (const each of leftovers(target.database, around)) context.log('warning', describe(each));
  const free = (ending: string) => freeName(target.database, `${ending}_${restoreId}`, around.neighbours);
  const [scratch, old] = [free('_restore'), free('_before')];
  const administer = (sql: string) => session.administer(sql, context, [target.database, scratch]);
  if (around.properties === null) await createNew(scratch, properties, administer, context);
  else await administer(creation(scratch, around.properties));
  try {
    await administer(`ALTER DATABASE ${identifier(scratch)} SET synchronous_commit = off;`);
    // It may take hours, and connections that do nothing are cut off.
    await session.hangUp();
    await build(scratch);
    await session.converse(context, await session.maintenanceDatabase(context, [target.database]));
    await administer(finished(target, scratch));
  } catch (error) {
    await drop(session, target, scratch, context);
    throw error;
  }
  await swap(target, scratch, old, administer);
  if (target.facts !== undefined) await dropOld(old, administer, context);
  await session.hangUp();
}

/**
 * While it is built nothing of it need be on the disk when the next statement begins: the transaction that renames it
 * takes all that was written before to the disk with it.
 */
function finished({ database, facts }: Target, scratch: string): string {
  const reset = `ALTER DATABASE ${identifier(scratch)} RESET synchronous_commit;`;
  return facts === undefined ? reset : `${reset}\n${copyProperties(database, scratch)}`;
}

/** What restores into this target made and, killed, could not take away. */
function leftovers(database: string, { neighbours }: Surroundings): readonly Neighbour[] {
  return neighbours.filter(({ name }) => {
    const [ending] = /_(restore|before)_[0-9a-f]{6}(_\d+)?$/.exec(name) ?? [];
    return ending !== undefined && name === nameBeside(database, ending);
  });
}

function describe({ name, sessions }: Neighbour): string {
  const what = /_before_[0-9a-f_]+$/.test(name)
    ? 'holds what was there before an earlier restore, which was interrupted when all but its last step was done'
    : 'is what an interrupted restore had built so far';
  if (sessions > 0) return `the database ${name} looks like a restore that is still at work (${sessions} sessions)`;
  return `the database ${name} ${what}; nothing needs it any more: DROP DATABASE ${identifier(name)};`;
}

function freeName(database: string, ending: string, taken: readonly Neighbour[]): string {
  for (let count = 1; ; count++) {
    const name = nameBeside(database, count === 1 ? ending : `${ending}_${count}`);
    if (taken.every((each) => each.name !== name)) return name;
  }
}

/** `<name><ending>`, with the name cut to fit at a letter's boundary. */
function nameBeside(name: string, ending: string): string {
  const room = longestName - Buffer.byteLength(ending);
  let cut = name;
  while (Buffer.byteLength(cut) > room) cut = [...cut].slice(0, -1).join('');
  return `${cut}${ending}`;
}

/** Like the one that was dumped; where the server does not have its locale, like others that are made there. */
async function createNew(
  scratch: string,
  properties: RestoreRequest['properties'],
  administer: (sql: string) => Promise<string>,
  context: SourceContext,
): Promise<void> {
  const create = `CREATE DATABASE ${identifier(scratch)} TEMPLATE template0`;
  const { encoding, collation, ctype = collation } = properties ?? {};
  if (typeof encoding !== 'string' || typeof collation !== 'string') return void (await administer(`${create};`));
  const locale = `LC_COLLATE ${literal(collation)} LC_CTYPE ${literal(String(ctype))}`;
  try {
    await administer(`${create} ENCODING ${literal(encoding)} ${locale};`);
  } catch (cause) {
    await administer(`${create};`);
    const what = `encoding ${encoding}, collation ${collation}`;
    context.log('warning', `the new database is not made as the old one was (${what}): ${messageOf(cause)}`);
  }
}

/** A database like the target. */
function creation(scratch: string, like: DatabaseProperties): string {
  const create = `CREATE DATABASE ${identifier(scratch)} TEMPLATE template0`;
  const locale = like.datlocale ?? like.daticulocale;
  const provider = { i: 'icu', b: 'builtin' }[like.datlocprovider ?? 'c'];
  // To name the usual one takes a right to it, to get it takes none.
  const tablespace = like.tablespace === 'pg_default' ? '' : `TABLESPACE ${identifier(like.tablespace)} `;
  return [
    create,
    `OWNER ${identifier(like.owner)} ${tablespace}CONNECTION LIMIT ${like.datconnlimit}`,
    `ENCODING ${literal(like.encoding_name)} LC_COLLATE ${literal(like.datcollate)} LC_CTYPE ${literal(like.datctype)}`,
    ...(provider && locale ? [`LOCALE_PROVIDER ${provider} ${provider.toUpperCase()}_LOCALE ${literal(locale)}`] : []),
  ]
    .join(' ')
    .concat(';');
}

/** Privileges, settings and comment of the database itself, which a dump does not hold. */
function copyProperties(from: string, to: string): string {
  const [source, copy] = [literal(from), literal(to)];
  const lists = `'search_path','temp_tablespaces','session_preload_libraries','local_preload_libraries'`;
  return `
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', ${copy}) FROM pg_database WHERE datname =${source} AND datacl IS NOT NULL
\\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, ${copy},
  CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname =${source}
\\gexec
SELECT format('COMMENT ON DATABASE %I IS %L', ${copy}, shobj_description(oid, 'pg_database'))
FROM pg_database WHERE datname =${source} AND shobj_description(oid, 'pg_database') IS NOT NULL
\\gexec
SELECT CASE WHEN s.setrole = 0 THEN format('ALTER DATABASE %I', ${copy})
    ELSE format('ALTER ROLE %I IN DATABASE %I', pg_get_userbyid(s.setrole), ${copy}) END
  || ' SET ' || split_part(c, '=', 1) || ' TO '
  || CASE WHEN split_part(c, '=', 1) IN (${lists}) THEN coalesce(nullif(v, ''), '''''') ELSE quote_literal(v) END
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c, substr(c, strpos(c, '=') + 1) v
WHERE d.datname =${source}
\\gexec
`;
}

async function swap(
  target: Target,
  scratch: string,
  old: string,
  administer: (sql: string) => Promise<string>,
): Promise<void> {
  const [name, built] = [identifier(target.database), identifier(scratch)];
  try {
    await administer(
      target.facts === undefined
        ? `ALTER DATABASE ${built} RENAME TO ${name};`
        : `BEGIN; ALTER DATABASE ${name} RENAME TO ${identifier(old)}; ALTER DATABASE ${built} RENAME TO ${name}; COMMIT;`,
    );
  } catch (cause) {
    throw new DbBackupError(
      'TARGET_IN_USE',
      `the restored database ${scratch} could not take the place of ${target.database}: ${messageOf(cause)}`,
      {
        hint: `The restored data is whole in ${scratch}, the old data untouched in ${target.database}: stop the programs that use it and rename both.`,
        cause,
      },
    );
  }
}

/** The restore is done by now; what is left of it is told, and fails nothing. */
async function dropOld(
  old: string,
  administer: (sql: string) => Promise<string>,
  context: SourceContext,
): Promise<void> {
  const drop = `DROP DATABASE ${identifier(old)};`;
  await administer(drop).catch((error: unknown) => {
    context.log('warning', `the old data is still there as ${old}: ${messageOf(error)}. When nothing uses it: ${drop}`);
  });
}

async function drop(session: Session, target: Target, scratch: string, context: SourceContext): Promise<void> {
  // The execution's own signal may be what ended the build.
  const own = { ...context, signal: AbortSignal.timeout(cleanupMs), idleTimeoutMs: undefined };
  await session.hangUp();
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =${literal(scratch)};
DROP DATABASE IF EXISTS ${identifier(scratch)};`;
  await session.administer(sql, own, [target.database, scratch]).catch((error: unknown) => {
    context.log('warning', `the unfinished database ${scratch} could not be dropped: ${messageOf(error)}`);
  });
}
