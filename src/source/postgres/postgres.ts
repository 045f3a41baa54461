/**
 * PostgreSQL by its own programs: pg_dump, pg_restore, psql. Everything that is asked of the server goes through psql,
 * the way the dump goes.
 * Guarantees: a dump's end means exit 0 and a whole archive (every block walked) or script (trailer seen); a restore is
 * one transaction, or goes into a database beside the target that is renamed after success.
 * Refuses: clients older than the server, targets that hold data without consent, secrets on the command line.
 */
import type { Duplex } from 'node:stream';
import type { DumpFormat, Source, SourceCapabilities, SourceType } from '../source.ts';
import { type PostgresOptions, postgresOptions } from './options.ts';

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

function capabilities(options?: PostgresOptions): SourceCapabilities {
  return {
    formats: options?.format === 'plain' ? [plainFormat, customFormat] : [customFormat, plainFormat],
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
  open: (): Source => {
    throw new Error('not yet');
  },
  fromTarget: (target) => (/^postgres(ql)?:\/\//.test(target) ? { url: target } : undefined),
  endOfDumpCheck: (): Duplex => {
    throw new Error('not yet');
  },
  recovery: (format) => ({
    packages: ['postgresql-client'],
    command: (file) =>
      format.name === 'plain'
        ? `psql -X -v ON_ERROR_STOP=1 -1 -d "$TARGET_DATABASE" -f ${file}`
        : `pg_restore --exit-on-error --single-transaction -d "$TARGET_DATABASE" ${file}`,
  }),
};
