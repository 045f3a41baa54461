/**
 * PostgreSQL by its own programs: pg_dump, pg_restore, psql. Everything that is asked of the server goes through psql,
 * the way the dump goes.
 * Guarantees: a dump's end means exit 0 and a whole archive (every block walked) or script (trailer seen); a restore is
 * one transaction, or goes into a database beside the target that is renamed after success.
 * Refuses: clients older than the server, targets that hold data without consent, secrets on the command line.
 */
import { resolve } from 'node:path';
import { placeOf } from '../place-of.ts';
import { shellWord } from '../shell-word.ts';
import type { DumpFormat, Source, SourceCapabilities, SourceType } from '../source.ts';
import { checkPostgres } from './check.ts';
import { conninfoValue } from './connection.ts';
import { startDump } from './dump.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { type Facts, readFacts } from './facts.ts';
import { inspect } from './inspect.ts';
import { type PostgresOptions, postgresOptions } from './options.ts';
import { restore } from './restore.ts';
import { Session } from './session.ts';
import { examine } from './target.ts';

export const customFormat: DumpFormat = {
  name: 'custom',
  extension: '.dump',
  restoreFrom: 'stream',
  restoreTables: true,
  parallelRestore: true,
};

export const plainFormat: DumpFormat = {
  name: 'plain',
  extension: '.sql',
  restoreFrom: 'stream',
  restoreTables: false,
  parallelRestore: false,
};

function capabilities(): SourceCapabilities {
  return {
    formats: [customFormat, plainFormat],
    backupTypes: ['full', 'schema', 'data'],
    tableFilter: true,
    schemaFilter: true,
    restoreOptions: ['database', 'create', 'clean', 'dataOnly', 'schemaOnly', 'noOwner', 'noPrivileges'],
  };
}

export const postgresType: SourceType<PostgresOptions> = {
  type: 'postgres',
  options: postgresOptions,
  capabilities,
  open,
  fromTarget: (target) => (/^postgres(ql)?:\/\//.test(target) ? { url: target } : undefined),
  endOfDumpCheck: (format) => new EndOfDumpCheck(format),
  recovery: (format, databases) => ({
    packages: ['postgresql-client'],
    command: (file) => recoveryCommand(format, databases[0] ?? 'restored', file),
  }),
};

function open(options: PostgresOptions, baseFolder: string): Source {
  const session = new Session(absolutePaths(options, baseFolder));
  const { host, port, database } = session.connection;
  // A run inspects first; asking the same again would only cost time.
  let facts: Facts | undefined;
  return {
    identity: { fingerprintParts: ['postgres', placeOf(host), port, database ?? ''], label: session.label() },
    inspect: async (context) => {
      facts = await readFacts(session, context);
      return inspect(session, facts, context);
    },
    dump: async (request, context) =>
      startDump(session, facts ?? (await readFacts(session, context)), request, context),
    examineTarget: async (request, context) => {
      const { label, hasData } = await examine(session, request, context);
      return { label, hasData };
    },
    restore: (request, context) => restore(session, request, context),
    check: (context) => checkPostgres(session, context),
  };
}

/** Into a new database; without owners and rights, whose roles a blank machine does not have. A script names them anyway. */
function recoveryCommand(format: DumpFormat, database: string, file: string): string {
  const create = `createdb --template=template0 -- ${shellWord(database)}`;
  const into = `--dbname=${shellWord(`dbname=${conninfoValue(database)}`)}`;
  return format.name === 'plain'
    ? `${create} && psql -X -v ON_ERROR_STOP=1 -1 ${into} -f ${file} # first create the roles it names: grep -ao 'OWNER TO .*;$' ${file} | sort -u`
    : `${create} && pg_restore --exit-on-error --single-transaction --no-owner --no-privileges ${into} ${file}`;
}

const paths = ['sslrootcert', 'sslcert', 'sslkey', 'passfile', 'clientFolder'] as const;

function absolutePaths(options: PostgresOptions, baseFolder: string): PostgresOptions {
  const absolute: Record<string, string> = {};
  for (const key of paths) {
    const path = options[key];
    // `sslrootcert: system` names the system's own store.
    if (path !== undefined && path !== 'system') absolute[key] = resolve(baseFolder, path);
  }
  return { ...options, ...absolute };
}
