/**
 * What is different at Supabase: schemas, roles and extensions that belong to the platform and are there in every project,
 * a user who is no superuser, and a pooler that does not keep sessions. Follows Supabase's documentation and the lists of
 * its own command line (`supabase db dump`); it has not been tried against the service.
 */
import { DbBackupError } from '../../errors.ts';
import type { TableFilter } from '../source.ts';
import type { Connection } from './connection.ts';

/** Of the platform, or of extensions that it brings; as pg_dump's patterns. */
export const managedSchemas: readonly string[] = [
  ...['_analytics', '_realtime', '_supavisor', 'auth', 'extensions', 'pgbouncer', 'realtime', 'storage'],
  ...['supabase_functions', 'supabase_migrations'],
  ...['cron', 'dbdev', 'graphql', 'graphql_public', 'net', 'pgmq', 'pgsodium', 'pgsodium_masks', 'pgtle', 'repack'],
  ...['tiger', 'tiger_data', 'timescaledb_*', '_timescaledb_*', 'topology', 'vault'],
];

/** PostgreSQL's own, which a pattern to include (`*`) must not bring in either. */
const systemSchemas = ['pg_*', 'information_schema'];

/** Without what the platform keeps, but for schemas that are included by their very name. */
export function withoutManaged(filter: TableFilter): TableFilter {
  const named = filter.includeSchemas ?? [];
  const left = [...systemSchemas, ...managedSchemas].filter((schema) => !named.includes(schema));
  return { ...filter, excludeSchemas: [...(filter.excludeSchemas ?? []), ...left] };
}

/** As a regular expression of PostgreSQL for names of schemas. */
export const managedSchemaPattern = `^(${managedSchemas.join('|').replaceAll('*', '.*')})$`;

const transactionPort = '6543';

/** Throws UNSUPPORTED: between two statements another server process may answer there, and a dump is one transaction. */
export function refuseTransactionPooler({ host, port }: Connection, preset: 'supabase' | undefined): void {
  const isTheirs = preset === 'supabase' || /\.supabase\.(co|com|in)$/i.test(host);
  if (!isTheirs || !port.split(',').includes(transactionPort)) return;
  throw new DbBackupError('UNSUPPORTED', `port ${transactionPort} of ${host} is Supabase's transaction pooler`, {
    hint: 'A dump needs a session. Use port 5432: of the same host (*.pooler.supabase.com) for the session pooler, or of db.<project>.supabase.co for the direct connection (IPv6).',
  });
}

const managedRoles =
  'supabase_admin|supabase_auth_admin|supabase_storage_admin|supabase_functions_admin|supabase_realtime_admin|supabase_replication_admin|supabase_read_only_user|supabase_etl_admin|pgsodium_keyholder|pgsodium_keyiduser|pgsodium_keymaker|pgtle_admin|dashboard_user|pgbouncer';
/**
 * Entries of pg_restore's list that only the platform may make, and has made: `<ids> <kind> <schema> <name> <owner>`.
 * Rows that somebody asked for by the schema's name are none of them.
 */
const ofThePlatform = new RegExp(
  `^\\d+; \\d+ \\d+ ((?!TABLE DATA |SEQUENCE SET ).* (${managedRoles})|COMMENT - EXTENSION .*|PUBLICATION - supabase_realtime .*)$`,
);

/** What of an archive's list (`pg_restore --list`) a user of the service can restore. */
export function restorableList(list: string): string {
  const lines = list.split('\n').filter((line) => !ofThePlatform.test(line.trimEnd()));
  return lines.join('\n');
}
