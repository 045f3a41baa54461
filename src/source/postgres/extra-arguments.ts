/**
 * Arguments of the user's own for pg_dump and pg_restore. Refused are those by which the program would do something else
 * than dump or load here: `pg_restore --list` ends well and has loaded nothing, `pg_dump --file` leaves the dump
 * unencrypted on the disk.
 */

/** Long names of both programs, with the option of dbbackup that is meant. */
const refused: Readonly<Record<string, string>> = {
  file: 'backups go to the destinations of the job',
  format: 'the job has "format"',
  jobs: '"dbbackup restore" has --jobs',
  create: '"dbbackup restore" has --create',
  list: 'it would load nothing',
  'single-transaction': 'a restore is one transaction anyway',
  'transaction-size': 'a restore is one transaction',
  snapshot: 'it ends before the job begins',
  dbname: 'the source has "database"',
  host: 'the source has "host"',
  port: 'the source has "port"',
  username: 'the source has "user"',
  password: 'nobody is there to be asked',
  version: 'it would do nothing else',
  help: 'it would do nothing else',
};
const letters: Readonly<Record<string, string>> = {
  ...{ f: 'file', F: 'format', j: 'jobs', C: 'create', l: 'list', 1: 'single-transaction', d: 'dbname' },
  ...{ h: 'host', p: 'port', U: 'username', W: 'password', V: 'version', '?': 'help' },
};
/** What follows one of these is its value. */
const withValue = /[EILNnPSTtZ]/;

/** Why this argument cannot be; undefined for one that can. */
export function refusalOf(argument: string): string | undefined {
  const name = argument.startsWith('--') ? longName(argument) : shortName(argument);
  return name && refused[name];
}

/** getopt takes the beginning of a name for the name. */
function longName(argument: string): string | undefined {
  const given = argument.slice(2).split('=')[0] ?? '';
  return given === '' ? undefined : Object.keys(refused).find((name) => name.startsWith(given));
}

function shortName(argument: string): string | undefined {
  if (!argument.startsWith('-')) return undefined;
  for (const letter of argument.slice(1)) {
    const name = letters[letter];
    if (name !== undefined || withValue.test(letter)) return name;
  }
  return undefined;
}
