/** What a dump of this database needs: programs, a way in, and the right to read everything. */

import { type Finding, fail, info, ok, warn } from '../../finding.ts';
import { formatBytes } from '../../value/figure.ts';
import type { CheckContext } from '../source.ts';
import { type Facts, readFacts } from './facts.ts';
import { identifier, type Session } from './session.ts';

/** What only a doctor asks. */
interface Condition {
  /** Tables that the user may not read, at most ten, and how many there are. */
  readonly unreadable: readonly string[];
  readonly unreadableCount: number;
  /** Tables whose policies would hide rows from the user: pg_dump refuses them. */
  readonly filteredByPolicy: readonly string[];
  /** Large objects that only their owners may read. */
  readonly foreignObjects: number;
  readonly isReplica: boolean;
  /** Of our own connection; null over a socket. */
  readonly encrypted: boolean | null;
}

const conditionQuery = `
WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
relations AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name, n.oid AS schema
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't' AND c.relkind IN ('r', 'S', 'p')
),
unreadable AS (
  SELECT name FROM relations WHERE NOT (has_schema_privilege(schema, 'USAGE') AND has_table_privilege(oid, 'SELECT'))
)
SELECT json_build_object(
  'unreadable', (SELECT coalesce(json_agg(name), '[]') FROM (SELECT name FROM unreadable ORDER BY name LIMIT 10) AS few),
  'unreadableCount', (SELECT count(*) FROM unreadable),
  'filteredByPolicy', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM relations r, me
    WHERE r.relrowsecurity AND NOT me.rolsuper AND NOT me.rolbypassrls
      AND (r.relforcerowsecurity OR NOT pg_has_role(current_user, r.relowner, 'USAGE'))),
  'foreignObjects', (SELECT count(*) FROM pg_largeobject_metadata o, me
    WHERE NOT me.rolsuper AND NOT pg_has_role(current_user, o.lomowner, 'USAGE')
      AND NOT EXISTS (SELECT 1 FROM aclexplode(o.lomacl) a
        WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_has_role(current_user, a.grantee, 'USAGE')))),
  'isReplica', pg_is_in_recovery(),
  'encrypted', CASE WHEN inet_server_addr() IS NULL THEN NULL
    ELSE (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) END
);`;

export async function* checkPostgres(session: Session, context: CheckContext): AsyncGenerator<Finding> {
  const facts = await readFacts(session, context);
  yield ok(`PostgreSQL ${facts.version} answers at ${session.label(facts.database)} as user ${facts.user}`);
  yield* programs(session, facts, context);
  yield ok(`about ${formatBytes(facts.bytes)} of tables, without indexes`);
  const condition = await session.queryJson<Condition>(conditionQuery, context);
  yield* rights(facts, condition, context.filtered);
  if (condition.isReplica) {
    yield info('it is a replica: a long dump may be cancelled by its replay (max_standby_streaming_delay)');
  }
  if (condition.encrypted === false && !isLoopback(session.connection.host)) {
    yield warn(
      'the connection is not encrypted',
      'Set sslmode: verify-full (and sslrootcert), or go through a tunnel.',
    );
  }
}

async function* programs(session: Session, facts: Facts, context: CheckContext): AsyncGenerator<Finding> {
  const { version, folder, major } = await session.suit(facts, context);
  for (const name of ['psql', 'pg_restore'] as const) {
    if (await session.has(name, context)) continue;
    const { command } = await session.spec(name, context);
    yield fail(
      `${command} is missing beside pg_dump`,
      `Install the whole client: apt-get install postgresql-client-${major}.`,
    );
  }
  yield ok(`pg_dump ${version} in ${folder}${major === facts.major ? '' : `, newer than the server`}`);
}

function* rights(facts: Facts, found: Condition, filtered: boolean): Generator<Finding> {
  const user = identifier(facts.user);
  if (found.unreadableCount > 0) {
    const more =
      found.unreadableCount > found.unreadable.length
        ? ` and ${found.unreadableCount - found.unreadable.length} more`
        : '';
    const what = `the user ${facts.user} may not read ${found.unreadable.join(', ')}${more}, at which pg_dump fails`;
    const grant =
      facts.major >= 14 ? `GRANT pg_read_all_data TO ${user};` : `GRANT SELECT ON ALL TABLES IN SCHEMA … TO ${user};`;
    const wayOut = `As a superuser: ${grant} Or exclude them in the job (tables, schemas).`;
    yield filtered ? warn(`${what}, unless the jobs leave it out`, wayOut) : fail(what, wayOut);
  } else yield ok(`the user ${facts.user} may read every table`);
  if (found.filteredByPolicy.length > 0) {
    yield fail(
      `row security hides rows of ${found.filteredByPolicy.join(', ')} from ${facts.user}, at which pg_dump fails`,
      `As a superuser: ALTER ROLE ${user} BYPASSRLS;`,
    );
  }
  if (found.foreignObjects > 0) {
    yield fail(
      `${found.foreignObjects} large objects belong to others, at which pg_dump fails`,
      `Dump as their owner or as a superuser, or GRANT SELECT ON LARGE OBJECT … TO ${user};`,
    );
  }
}

function isLoopback(host: string): boolean {
  return host === '' || host.startsWith('/') || /^(localhost|127\.[\d.]+|::1)$/.test(host);
}
