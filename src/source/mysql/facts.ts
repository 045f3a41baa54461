import { DbBackupError } from '../../errors.ts';
import type { SourceContext } from '../source.ts';
import { parseVersion, type Version } from './client.ts';
import { type Grants, readGrants } from './grants.ts';
import { literal, type Session } from './session.ts';

export interface Table {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'sequence';
  readonly engine: string;
  readonly bytes: number;
}

/** What one script of queries tells of a server and one of its databases. */
export interface Facts {
  readonly server: Version;
  /** As the server says it: `10.11.19-MariaDB-0+deb12u1`. */
  readonly version: string;
  readonly user: string;
  readonly grants: Grants;
  readonly database: string;
  /** Undefined: there is no such database, or this user does not see it. */
  readonly defaults: { readonly characterSet: string; readonly collation: string } | undefined;
  readonly tables: readonly Table[];
  /** Routines, triggers and events that this user sees. */
  readonly routines: readonly { readonly kind: string; readonly name: string }[];
  readonly triggers: readonly string[];
  readonly events: readonly string[];
  /** Tables with generated or VECTOR columns; looked for only where the client is of another make, which spoils them. */
  readonly special: readonly string[];
}

/** Asks the server afresh, and picks the client programs that suit it. */
export async function readFacts(session: Session, database: string, context: SourceContext): Promise<Facts> {
  const rows = await session.query(factsScript(database), context);
  const of = (tag: string) => rows.filter((row) => row[0] === tag).map((row) => row.slice(1));
  const [[version = '', user = ''] = []] = of('server');
  const server = parseVersion(version);
  const client = await session.suit(server, context);
  refuseUnencrypted(session, of('Ssl_cipher')[0]?.[0]);
  const [defaults] = of('database');
  return {
    ...{ server, version, user, database },
    grants: readGrants(rows.filter((row) => row[0]?.startsWith('GRANT ')).map((row) => row.join('\t'))),
    defaults: defaults && { characterSet: defaults[0] ?? '', collation: defaults[1] ?? '' },
    tables: of('table').map(([name = '', type = '', engine = '', bytes]) => ({
      ...{ name, engine, bytes: Number(bytes) },
      kind: type === 'SEQUENCE' ? 'sequence' : /VIEW/.test(type) ? 'view' : 'table',
    })),
    routines: of('routine').map(([kind = '', name = '']) => ({ kind, name })),
    triggers: of('trigger').map(([name = '']) => name),
    events: of('event').map(([name = '']) => name),
    special: client.flavour === server.flavour ? [] : await readSpecial(session, database, context),
  };
}

/** MariaDB's client up to 11.3 goes on without TLS where the server has none, whatever is asked of it. */
function refuseUnencrypted(session: Session, cipher: string | undefined): void {
  const { ssl } = session.options;
  if (ssl === undefined || ssl === 'disable' || cipher) return;
  throw new DbBackupError(
    'SOURCE_FAILED',
    `the connection to ${session.label('')} is not encrypted, but ssl: ${ssl} is set`,
    {
      hint: 'Set up TLS on the server, or go through a tunnel and say "ssl: disable".',
    },
  );
}

/** The schema's names are compared without case there: BINARY makes them exact. */
function comparison(database: string): (column: string) => string {
  const name = literal(database);
  return (column) => `${column} = ${name} AND BINARY ${column} = BINARY ${name}`;
}

async function readSpecial(session: Session, database: string, context: SourceContext): Promise<readonly string[]> {
  const is = comparison(database);
  // Not DEFAULT_GENERATED, which is a default.
  const sql = `SELECT DISTINCT TABLE_NAME FROM information_schema.COLUMNS
  WHERE ${is('TABLE_SCHEMA')}
  AND (EXTRA LIKE '%VIRTUAL GENERATED%' OR EXTRA LIKE '%STORED GENERATED%' OR DATA_TYPE = 'vector');`;
  return (await session.query(sql, context)).map(([table = '']) => table);
}

function factsScript(database: string): string {
  const is = comparison(database);
  return `SELECT 'server', VERSION(), CURRENT_USER();
SELECT 'database', DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE ${is('SCHEMA_NAME')};
SELECT 'table', TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, ''), COALESCE(DATA_LENGTH, 0)
  FROM information_schema.TABLES WHERE ${is('TABLE_SCHEMA')} AND TABLE_TYPE NOT LIKE '%TEMPORARY%' ORDER BY TABLE_NAME;
SELECT 'routine', ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ${is('ROUTINE_SCHEMA')};
SELECT 'trigger', TRIGGER_NAME FROM information_schema.TRIGGERS WHERE ${is('TRIGGER_SCHEMA')};
SELECT 'event', EVENT_NAME FROM information_schema.EVENTS WHERE ${is('EVENT_SCHEMA')};
SHOW SESSION STATUS LIKE 'Ssl_cipher';
SHOW GRANTS;`;
}

/** Anything at all that a restore would replace or mix with. */
export function holdsObjects(facts: Facts): boolean {
  return facts.tables.length + facts.routines.length + facts.events.length > 0;
}
