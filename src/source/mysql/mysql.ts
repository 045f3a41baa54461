/**
 * MySQL and MariaDB by their own programs: mariadb-dump or mysqldump, mariadb or mysql. Everything that is asked of the
 * server goes through the client, the way the dump goes.
 * Guarantees: a dump's end means exit 0 and a whole script, whose trailer was its last word; a restore stops at the first
 * error and leaves the old data, although these servers cannot roll back DDL: what holds data is replaced by a database
 * that was built beside it.
 * Refuses: clients older than the server, targets that hold data without consent, secrets on the command line.
 */
import { resolve } from 'node:path';
import { placeOf } from '../place-of.ts';
import { shellWord } from '../shell-word.ts';
import type { DumpFormat, Source, SourceCapabilities, SourceContext, SourceType } from '../source.ts';
import { startDump } from './dump.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { type Facts, readFacts } from './facts.ts';
import { checkMysql, inspect } from './inspect.ts';
import { type MysqlOptions, mysqlOptions, urlPattern } from './options.ts';
import { restore } from './restore.ts';
import { identifier, Session } from './session.ts';
import { mysqlSetup } from './setup.ts';
import { examine } from './target.ts';

export const sqlFormat: DumpFormat = {
  name: 'sql',
  extension: '.sql',
  restoreFrom: 'stream',
  restoreTables: true,
  parallelRestore: false,
};

function capabilities(): SourceCapabilities {
  return {
    formats: [sqlFormat],
    backupTypes: ['full', 'schema', 'data'],
    tableFilter: true,
    schemaFilter: false,
    restoreOptions: ['database', 'create', 'clean', 'dataOnly', 'schemaOnly'],
    bundle: {},
  };
}

export const mysqlType: SourceType<MysqlOptions> = {
  type: 'mysql',
  options: mysqlOptions,
  capabilities,
  open,
  fromTarget: (target) => (urlPattern.test(target) ? { url: target } : undefined),
  endOfDumpCheck: () => new EndOfDumpCheck(),
  recovery: (_format, databases) => ({
    packages: ['mariadb-client'],
    command: (file) => recoveryCommand(databases[0] ?? 'restored', file),
  }),
  setup: mysqlSetup,
};

function open(options: MysqlOptions, baseFolder: string): Source {
  return sourceAt(new Session(absolutePaths(options, baseFolder)));
}

function sourceAt(session: Session): Source {
  const { host, port, socket, database } = session.parameters;
  const { prefix } = session.options;
  const server = socket ?? host ?? '';
  // Behind a prefix "localhost" is another machine, and which one, the prefix says.
  const place = ['mysql', ...(prefix ? [...prefix, server] : [placeOf(server)]), String(port ?? 3306)];
  // A run inspects first; asking the same again would only cost time.
  let facts: Facts | undefined;
  return {
    identity: {
      fingerprintParts: [...place, database ?? ''],
      label: session.label(),
    },
    inspect: async (context) => {
      facts = await readFacts(session, session.database, context);
      return inspect(session, facts, context);
    },
    dump: async (request, context) =>
      startDump(session, facts ?? (await readFacts(session, session.database, context)), request, context),
    check: (context) => checkMysql(session, context),
    examineTarget: async (request, context) => {
      const { label, hasData } = await examine(session, request, context);
      return { label, hasData };
    },
    restore: (request, context) => restore(session, request, context),
    server: {
      identity: { fingerprintParts: place, label: session.label('') },
      databases: (context) => listDatabases(session, context),
      at: (name) => sourceAt(session.at(name)),
    },
  };
}

/** Names with this mark are folders of the data folder that are no names of databases. */
const notConverted = '#mysql50#';

async function listDatabases(session: Session, context: SourceContext): Promise<readonly string[]> {
  const sql = `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA
WHERE LOWER(SCHEMA_NAME) NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') ORDER BY 1;`;
  const names = (await session.query(sql, context)).map(([name = '']) => name);
  return names.filter((name) => !name.startsWith(notConverted));
}

/** Into a new database; the client stops at the first error. MySQL's own `mysql` does the same with these options. */
function recoveryCommand(database: string, file: string): string {
  const create = shellWord(`CREATE DATABASE ${identifier(database)}`);
  const load = `--binary-mode --comments --default-character-set=utf8mb4 --max-allowed-packet=1G --database=${shellWord(database)}`;
  return `mariadb --default-character-set=utf8mb4 --execute=${create} && mariadb ${load} < ${file}`;
}

const paths = ['socket', 'sslCa', 'sslCert', 'sslKey', 'clientFolder'] as const;

function absolutePaths(options: MysqlOptions, baseFolder: string): MysqlOptions {
  // Behind a prefix they are meant as they are there.
  if (options.prefix !== undefined) return options;
  const given = paths.flatMap((key) => (options[key] === undefined ? [] : [[key, resolve(baseFolder, options[key])]]));
  return { ...options, ...Object.fromEntries(given) };
}
