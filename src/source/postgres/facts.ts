import type { SourceContext } from '../source.ts';
import { literal, type Server, type Session } from './session.ts';
import { managedSchemaPattern } from './supabase.ts';

/** What one query tells of a database. */
export interface Facts extends Server {
  readonly database: string;
  readonly user: string;
  readonly encoding: string;
  readonly collation: string;
  readonly ctype: string;
  /** Tables with TOAST, without indexes: about the size of a dump. */
  readonly bytes: number;
  /** The first table that this user may not read. */
  readonly unreadable: string | null;
  /** Names of the extensions that are installed in it. */
  readonly extensions: readonly string[];
  /** User tables, views, sequences, functions, large objects … */
  readonly objects: number;
  /** Bytes in user tables, without their TOAST. */
  readonly rowBytes: number;
  /** Whether this user may create schemas here, and databases beside this one. */
  readonly mayCreate: boolean;
  readonly mayCreateDatabases: boolean;
}

const ofExtension = (catalog: string, id: string) =>
  `EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${id} AND d.deptype = 'e')`;

/** `managed`: schemas that a preset leaves alone, as a regular expression. */
function factsQuery(managed: string | undefined): string {
  const others = managed === undefined ? '' : ` AND n.nspname !~${literal(managed)}`;
  const ownSchema = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'${others}`;
  return `
WITH relations AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name, n.oid AS schema
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${ownSchema} AND c.relpersistence <> 't' AND c.relkind IN ('r', 'm', 'p', 'S', 'v', 'f')
    AND NOT ${ofExtension('pg_class', 'c.oid')}
)
SELECT json_build_object(
  'version', split_part(current_setting('server_version'), ' ', 1),
  'major', current_setting('server_version_num')::int / 10000,
  'database', current_database(),
  'user', current_user,
  'encoding', pg_encoding_to_char(d.encoding),
  'collation', d.datcollate,
  'ctype', d.datctype,
  'bytes', (SELECT coalesce(sum(pg_table_size(oid)), 0) FROM relations WHERE relkind IN ('r', 'm'))
    + pg_table_size('pg_largeobject'),
  'rowBytes', (SELECT coalesce(sum(pg_relation_size(oid)), 0) FROM relations WHERE relkind = 'r'),
  'extensions', (SELECT coalesce(json_agg(extname ORDER BY extname), '[]') FROM pg_extension),
  'mayCreate', has_database_privilege(d.oid, 'CREATE'),
  'mayCreateDatabases', (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user),
  'unreadable', (SELECT min(name) FROM relations WHERE relkind IN ('r', 'S')
    AND NOT (has_schema_privilege(schema, 'USAGE') AND has_table_privilege(oid, 'SELECT'))),
  'objects', (SELECT count(*) FROM relations) + (SELECT count(*) FROM pg_largeobject_metadata)
    + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE ${ownSchema} AND NOT ${ofExtension('pg_proc', 'p.oid')})
    + (SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
       WHERE ${ownSchema} AND t.typtype IN ('d', 'e', 'r') AND NOT ${ofExtension('pg_type', 't.oid')})
    + (SELECT count(*) FROM pg_namespace n WHERE ${ownSchema} AND n.nspname <> 'public'
       AND NOT ${ofExtension('pg_namespace', 'n.oid')})
)
FROM pg_database d WHERE d.datname = current_database();`;
}

/** Asks the database afresh. */
export async function readFacts(session: Session, context: SourceContext, database?: string): Promise<Facts> {
  const managed = session.options.preset === 'supabase' ? managedSchemaPattern : undefined;
  return session.askJson<Facts>(factsQuery(managed), context, database);
}
