/**
 * PostgreSQL by its own programs: pg_dump, pg_restore, psql. Everything that is asked of the server goes through psql,
 * the way the dump goes.
 * Guarantees: a dump's end means exit 0 and a whole archive (every block walked) or script (trailer seen); a restore is
 * one transaction, or goes into a database beside the target that is renamed after success.
 * Refuses: clients older than the server, targets that hold data without consent, secrets on the command line.
 */
import { resolve } from 'node:path';
import { placeOf } from '../place-of.ts';
import type { DumpFormat, Source, SourceCapabilities, SourceContext, SourceType } from '../source.ts';
import { approach } from './approach.ts';
import { checkPostgres } from './check.ts';
import { startDump } from './dump.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { type Facts, readFacts } from './facts.ts';
import { globalsFormat, globalsOf } from './globals.ts';
import { inspect } from './inspect.ts';
import { type PostgresOptions, postgresOptions } from './options.ts';
import { recovery } from './recovery.ts';
import { restore } from './restore.ts';
import { Session } from './session.ts';
import { postgresSetup } from './setup.ts';
import { refuseTransactionPooler } from './supabase.ts';
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
    bundle: { globals: globalsFormat },
  };
}

export const postgresType: SourceType<PostgresOptions> = {
  type: 'postgres',
  options: postgresOptions,
  capabilities,
  open,
  fromTarget: (target) => (/^postgres(ql)?:\/\//.test(target) ? { url: target } : undefined),
  endOfDumpCheck: (format) => new EndOfDumpCheck(format),
  recovery,
  setup: postgresSetup,
};

function open(options: PostgresOptions, baseFolder: string): Source {
  const session = new Session(absolutePaths(options, baseFolder));
  refuseTransactionPooler(session.connection, options.preset);
  return sourceAt(session);
}

function sourceAt(session: Session): Source {
  const { host, port, database } = session.connection;
  const { prefix } = session.options;
  // Behind a prefix "localhost" is another machine, and which one, the prefix says.
  const place = ['postgres', ...(prefix ? [...prefix, host] : [placeOf(host)]), port];
  // A run inspects first; asking the same again would only cost time.
  let facts: Facts | undefined;
  return {
    identity: { fingerprintParts: [...place, database ?? ''], label: session.label() },
    inspect: async (context) => {
      facts = await readFacts(session, context);
      return inspect(session, facts, context);
    },
    dump: async (request, context) =>
      startDump(session, facts ?? (await readFacts(session, context)), request, context),
    approach: (request, context) => approach(session, request, context),
    examineTarget: async (request, context) => {
      const { label, hasData } = await examine(session, request, context);
      return { label, hasData };
    },
    restore: (request, context) => restore(session, request, context),
    check: (context) => checkPostgres(session, context),
    server: {
      identity: { fingerprintParts: place, label: session.label('') },
      databases: (context) => listDatabases(session, context),
      at: (name) => sourceAt(session.at(name)),
      globals: session.options.globals === false ? undefined : globalsOf(session),
    },
  };
}

/** All that can be connected to, `postgres` too: people do keep tables there. */
async function listDatabases(session: Session, context: SourceContext): Promise<readonly string[]> {
  const sql = `SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database
WHERE datallowconn AND NOT datistemplate;`;
  const { database, isDatabaseOpen } = session.connection;
  return session.queryJson(sql, context, isDatabaseOpen ? await session.maintenanceDatabase(context, []) : database);
}

const paths = ['sslrootcert', 'sslcert', 'sslkey', 'passfile', 'clientFolder'] as const;

function absolutePaths(options: PostgresOptions, baseFolder: string): PostgresOptions {
  // Behind a prefix they are meant as they are there.
  if (options.prefix !== undefined) return options;
  const absolute: Record<string, string> = {};
  for (const key of paths) {
    const path = options[key];
    // `sslrootcert: system` names the system's own store.
    if (path !== undefined && path !== 'system') absolute[key] = resolve(baseFolder, path);
  }
  return { ...options, ...absolute };
}
