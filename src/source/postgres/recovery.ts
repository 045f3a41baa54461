/** The lines of a sidecar's recipe: how PostgreSQL's own programs load a dump on a blank machine. */
import { shellWord } from '../shell-word.ts';
import type { DumpFormat, RecoveryStep } from '../source.ts';
import { conninfoValue } from './connection.ts';
import { transactionTimeoutSince } from './restore-stream.ts';

export function recovery(
  format: DumpFormat,
  databases: readonly string[],
  withGlobals = false,
  toolVersion = '',
): RecoveryStep {
  const notes = (file: string) => notesOn(format, withGlobals, Number.parseInt(toolVersion, 10), file);
  return {
    packages: ['postgresql-client'],
    command: (file) => command(format, databases[0] ?? 'restored', file, withGlobals),
    ...(notes('').length > 0 && { note: (file: string) => notes(file).join('; ') }),
  };
}

/**
 * Into a new database; without owners and rights where roles have not gone before, which a blank machine does not have.
 * A script names them anyway. Every server has a `postgres` from the beginning.
 */
function command(format: DumpFormat, database: string, file: string, withGlobals: boolean): string {
  if (format.name === 'globals') return `psql -X -q -d postgres -f ${file}`;
  const create = database === 'postgres' ? '' : `createdb --template=template0 -- ${shellWord(database)} && `;
  const into = `--dbname=${shellWord(`dbname=${conninfoValue(database)}`)}`;
  if (format.name === 'custom') {
    const roles = withGlobals ? '' : ' --no-owner --no-privileges';
    return `${create}pg_restore --exit-on-error --single-transaction${roles} ${into} ${file}`;
  }
  return `${create}psql -X -v ON_ERROR_STOP=1 -1 ${into} -f ${file}`;
}

function notesOn({ name }: DumpFormat, withGlobals: boolean, toolMajor: number, file: string): readonly string[] {
  if (name === 'globals') return ['roles; what it says of those that exist already is no harm'];
  const notes: string[] = [];
  if (name === 'plain' && !withGlobals) {
    notes.push(`first create the roles it names: grep -ao 'OWNER TO .*;$' ${file} | sort -u`);
  }
  // Archives are read by no program that is older than the one that wrote them.
  if (toolMajor >= transactionTimeoutSince) notes.push(name === 'custom' ? ofNewArchive(file) : ofNewScript);
  return notes;
}

const ofNewScript = `a server older than ${transactionTimeoutSince} does not know "SET transaction_timeout": delete that line, near the top`;

function ofNewArchive(file: string): string {
  const since = transactionTimeoutSince;
  return `pg_restore must be of ${since} or newer (postgresql-client-${since}); into an older server: pg_restore -f dump.sql ${file}, delete its line "SET transaction_timeout", psql -X -1 -v ON_ERROR_STOP=1 -f dump.sql`;
}
