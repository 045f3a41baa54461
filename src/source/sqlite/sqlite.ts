/**
 * A SQLite database file: copied page by page by SQLite's backup API, or written as SQL by the `sqlite3` program.
 * Guarantees: one snapshot while others write; the copy has passed integrity_check before its first byte is offered; a
 * restore is built and checked beside the target and takes its place at once or not at all.
 * Refuses: to create or change the source, a target that is in use, new data beside an old `-wal` (F41).
 */
import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { Inspection, RestoreTarget, Source, SourceContext, SourceType } from '../source.ts';
import { checkSqlite } from './check.ts';
import { dumpBinary } from './dump-binary.ts';
import { dumpSql } from './dump-sql.ts';
import { endOfDumpCheck } from './end-of-dump-check.ts';
import { sqlFormat, sqliteCapabilities } from './format.ts';
import { busyTimeoutMs, databasePath, optionsFromTarget, type SqliteOptions, sqliteOptions } from './options.ts';
import { openRemote } from './remote.ts';
import { restoreSqlite } from './restore.ts';
import { sqliteSetup } from './setup.ts';
import { lookAtSource } from './source-file.ts';
import { findSqlite3 } from './sqlite3-program.ts';
import { lookAtTarget } from './target-file.ts';

export const sqliteType: SourceType<SqliteOptions> = {
  type: 'sqlite',
  options: sqliteOptions,
  capabilities: () => sqliteCapabilities,
  open: openSqlite,
  fromTarget: optionsFromTarget,
  endOfDumpCheck,
  recovery: (format) => ({
    packages: ['sqlite3'],
    command: (file) =>
      format.name === sqlFormat.name
        ? `sqlite3 -bail restored.sqlite < ${file}`
        : `cp -- ${file} restored.sqlite && sqlite3 restored.sqlite 'PRAGMA integrity_check'`,
  }),
  setup: sqliteSetup,
};

function openSqlite(options: SqliteOptions, baseFolder: string): Source {
  if (options.prefix !== undefined) return openRemote(options, options.prefix);
  const path = databasePath(options, baseFolder);
  const timeout = busyTimeoutMs(options);
  return {
    identity: { fingerprintParts: ['sqlite', hostname(), path], label: path },
    inspect: (context) => inspect(path, context),
    dump: ({ format }, context) => (format.name === sqlFormat.name ? dumpSql : dumpBinary)(path, timeout, context),
    examineTarget: ({ format }, context) => examineTarget(path, format.name, context),
    restore: (request, context) => restoreSqlite(path, timeout, request, context),
    check: (context) => checkSqlite(path, context),
  };
}

async function inspect(path: string, { signal }: SourceContext): Promise<Inspection> {
  const { bytes, sqliteVersion } = await lookAtSource(path, signal);
  return {
    tool: `SQLite ${sqliteVersion}`,
    toolVersion: sqliteVersion,
    databases: [basename(path)],
    estimatedBytes: bytes,
    warnings: [],
  };
}

async function examineTarget(path: string, format: string, context: SourceContext): Promise<RestoreTarget> {
  if (format === sqlFormat.name) await findSqlite3(context.signal);
  const { hasData } = await lookAtTarget(path, context.signal);
  return { label: path, hasData };
}
