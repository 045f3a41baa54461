import type { SourceContext } from '../source.ts';
import { literal, type Server, type Session } from './session.ts';

/** What one query tells of a database from outside of it: it may be missing, or is to be replaced. */
export interface Surroundings extends Server {
  readonly user: string;
  readonly mayCreateDatabases: boolean;
  /** Whoever keeps it from being renamed, or would be lost with it; '' = nobody. */
  readonly users: string;
  /** How it was made; null: there is no such database. */
  readonly properties: DatabaseProperties | null;
  /** All databases, itself among them. */
  readonly neighbours: readonly Neighbour[];
}

export interface DatabaseProperties {
  readonly datcollate: string;
  readonly datctype: string;
  /** c, i or b; since 15. */
  readonly datlocprovider?: string;
  /** 15 and 16; since 17 `datlocale`. */
  readonly daticulocale?: string | null;
  readonly datlocale?: string | null;
  readonly datconnlimit: number;
  readonly encoding_name: string;
  readonly owner: string;
  readonly tablespace: string;
}

export interface Neighbour {
  readonly name: string;
  readonly sessions: number;
}

/** Asks the server afresh, in another database. */
export async function lookAround(session: Session, database: string, context: SourceContext): Promise<Surroundings> {
  const from = await session.maintenanceDatabase(context, [database]);
  return session.askJson<Surroundings>(surroundingsQuery(database, session.name), context, from);
}

/** `self`: the name of our own sessions. */
function surroundingsQuery(database: string, self: string): string {
  const name = literal(database);
  return `
SELECT json_build_object(
  'version', split_part(current_setting('server_version'), ' ', 1),
  'major', current_setting('server_version_num')::int / 10000,
  'user', current_user,
  'mayCreateDatabases', (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user),
  'users', (SELECT coalesce(string_agg(DISTINCT holder, ', '), '') FROM (
    SELECT usename || coalesce(nullif(' (' || application_name || ')', ' ()'), '')
      FROM pg_stat_activity WHERE datname =${name} AND application_name IS DISTINCT FROM${literal(self)}
    UNION ALL SELECT 'the prepared transaction ' || gid FROM pg_prepared_xacts WHERE database =${name}
    UNION ALL SELECT 'the replication slot ' || slot_name FROM pg_replication_slots WHERE database =${name}
    UNION ALL SELECT 'the subscription ' || subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
      WHERE d.datname =${name}
  ) AS holders (holder)),
  'properties', (SELECT to_jsonb(d) || jsonb_build_object('encoding_name', pg_encoding_to_char(d.encoding),
      'owner', pg_get_userbyid(d.datdba), 'tablespace', t.spcname)
    FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname =${name}),
  'neighbours', (SELECT json_agg(json_build_object('name', datname, 'sessions',
      (SELECT count(*) FROM pg_stat_activity a WHERE a.datname = d.datname))) FROM pg_database d)
);`;
}
