/**
 * A SQLite database file: copied page by page by SQLite's backup API, or written as SQL by the `sqlite3` program.
 * Guarantees: one snapshot while others write; the copy has passed integrity_check before its first byte is offered; a
 * restore is built and checked beside the target and takes its place at once or not at all.
 * Refuses: to create or change the source, a target that is in use, new data beside an old `-wal` (F41).
 */
import { basename } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import type { Source, SourceType } from '../source.ts';
import { sqliteCapabilities } from './format.ts';
import { databasePath, optionsFromTarget, type SqliteOptions, sqliteOptions } from './options.ts';

export const sqliteType: SourceType<SqliteOptions> = {
  type: 'sqlite',
  options: sqliteOptions,
  capabilities: () => sqliteCapabilities,
  open: openSqlite,
  fromTarget: optionsFromTarget,
  endOfDumpCheck: () => notYet(),
  recovery: (format) => ({
    packages: ['sqlite3'],
    command: (file) =>
      format.name === 'sql'
        ? `sqlite3 -bail restored.sqlite < ${file}`
        : `cp -- ${file} restored.sqlite && sqlite3 restored.sqlite 'PRAGMA integrity_check'`,
  }),
};

function openSqlite(options: SqliteOptions, baseFolder: string): Source {
  const path = databasePath(options, baseFolder);
  return {
    identity: { fingerprintParts: ['sqlite', path], label: basename(path) },
    inspect: async () => notYet(),
    dump: async () => notYet(),
    examineTarget: async () => notYet(),
    restore: async () => notYet(),
  };
}

function notYet(): never {
  throw new DbBackupError('UNEXPECTED', 'the SQLite source is not written yet');
}
