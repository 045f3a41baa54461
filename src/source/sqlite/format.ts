/** The two formats of a SQLite dump. */
import type { DumpFormat, SourceCapabilities } from '../source.ts';

/** A faithful database file, page by page. */
export const binaryFormat: DumpFormat = {
  name: 'sqlite',
  extension: '.sqlite',
  restoreFrom: 'file',
  restoreTables: false,
  parallelRestore: false,
};

/** SQL text by `sqlite3 .dump`, with what `.dump` forgets. */
export const sqlFormat: DumpFormat = { ...binaryFormat, name: 'sql', extension: '.sql' };

export const sqliteCapabilities: SourceCapabilities = {
  formats: [binaryFormat, sqlFormat],
  backupTypes: ['full'],
  tableFilter: false,
  schemaFilter: false,
  restoreOptions: ['clean'],
};
