/**
 * Finds the client programs of MariaDB and of MySQL among all that are installed, and picks those that suit the server:
 * of the same make, and not older. Refuses older ones, which leave out what they do not know.
 */
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { capture, findProgram, type Prefix } from '../../process/process.ts';

export type Flavour = 'mariadb' | 'mysql';

export interface Version {
  readonly flavour: Flavour;
  /** `10.11.19`. */
  readonly text: string;
  /** Major and minor as one number, for comparison: 10011. */
  readonly rank: number;
}

export interface Client extends Version {
  /** `mariadb-dump` or `mysqldump`, as it is called here. */
  readonly name: string;
  readonly dump: string;
  /** `mariadb` or `mysql`. */
  readonly shell: string;
}

const pairs = [
  ['mariadb-dump', 'mariadb'],
  ['mysqldump', 'mysql'],
] as const;

/** Homebrew on Apple and on Intel; MySQL's own packages. */
const elsewhere: readonly (readonly [folder: string, name: RegExp])[] = [
  ['/opt/homebrew/opt', /^(mysql|mysql-client|mariadb)(@[\d.]+)?$/],
  ['/usr/local/opt', /^(mysql|mysql-client|mariadb)(@[\d.]+)?$/],
  ['/usr/local', /^mysql/],
  ['/opt', /^(mysql|mariadb)/],
];

/** All clients, those on PATH first. Throws TOOL_MISSING when there is none. */
export async function findClients(
  folder: string | undefined,
  signal: AbortSignal,
  prefix?: Prefix,
): Promise<readonly Client[]> {
  const clients = prefix ? await readRemoteClients(folder, prefix, signal) : await readClients(folder, signal);
  if (clients.length > 0) return clients;
  const there = prefix === undefined ? '' : ` by "${prefix.words.join(' ')}"`;
  const where = `${folder === undefined ? 'on PATH or in the usual folders' : `in ${folder}`}${there}`;
  throw new DbBackupError(
    'TOOL_MISSING',
    `neither mariadb-dump and mariadb nor mysqldump and mysql were found ${where}`,
    {
      hint: 'Install the client: apt-get install mariadb-client (or mysql-client), brew install mariadb, or set "clientFolder".',
    },
  );
}

async function readClients(folder: string | undefined, signal: AbortSignal): Promise<readonly Client[]> {
  const folders = folder === undefined ? await candidateFolders() : [folder];
  const clients = new Map<string, Client>();
  for (const candidate of folders) {
    for (const [dump, shell] of pairs) {
      const paths = [await findProgram(join(candidate, dump)), await findProgram(join(candidate, shell))] as const;
      if (paths[0] === undefined || paths[1] === undefined) continue;
      // On many systems mysqldump is another name of mariadb-dump.
      const identity = await realpath(paths[0]);
      if (clients.has(identity)) continue;
      const { stdout } = await capture({ command: paths[0], args: ['--version'], signal });
      clients.set(identity, { ...parseVersion(stdout), name: dump, dump: paths[0], shell: paths[1] });
    }
  }
  return [...clients.values()];
}

/** The same on the other side, in one go. Each line: both programs, the true path of the first, what it says. */
const remoteSearch = `
look() {
  [ -x "$1/$2" ] && [ -x "$1/$3" ] || return 0
  t=$(readlink -f "$1/$2" 2>/dev/null || printf %s "$1/$2")
  printf '%s\\t%s\\t%s\\t%s\\n' "$1/$2" "$1/$3" "$t" "$("$1/$2" --version)"
}
if [ -n "$1" ]; then set -- "$1"; else
  m=$(command -v mariadb-dump); o=$(command -v mysqldump)
  set -- \${m:+"\${m%/*}"} \${o:+"\${o%/*}"} /usr/local/mysql*/bin /opt/mysql*/bin /opt/mariadb*/bin
fi
for d in "$@"; do look "$d" mariadb-dump mariadb; look "$d" mysqldump mysql; done; true`;

async function readRemoteClients(folder = '', prefix: Prefix, signal: AbortSignal): Promise<readonly Client[]> {
  const args = ['-c', remoteSearch, 'sh', folder];
  const { stdout } = await capture({ command: 'sh', args, prefix, signal });
  const clients = new Map<string, Client>();
  for (const line of stdout.split('\n').filter((each) => each !== '')) {
    const [dump = '', shell = '', identity = '', said = ''] = line.split('\t');
    if (!clients.has(identity)) clients.set(identity, { ...parseVersion(said), name: basename(dump), dump, shell });
  }
  return [...clients.values()];
}

/** The lowest of the same make that is not older; another make only where there is none. Throws TOOL_TOO_OLD. */
export function chooseClient(clients: readonly Client[], server: Version, allowOlder: boolean): Client {
  const same = clients.filter(({ flavour }) => flavour === server.flavour).sort((a, b) => a.rank - b.rank);
  const newest = same.at(-1);
  const suitable = same.find(({ rank }) => rank >= server.rank) ?? (allowOlder ? newest : undefined);
  if (suitable !== undefined) return suitable;
  const other = clients[0];
  if (newest === undefined && other !== undefined) return other;
  const make = makes[server.flavour];
  throw new DbBackupError(
    'TOOL_TOO_OLD',
    `the server is ${make} ${server.text}, the newest ${newest?.name} here is ${newest?.text}`,
    {
      hint: `Install a client of ${make} ${server.text} or newer (the maker's package sources have all versions) and name its folder in "clientFolder"; or take the risk with "allowOlderClient: true".`,
    },
  );
}

export const makes: Readonly<Record<Flavour, string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

/** Of `SELECT VERSION()`, or of a program's `--version`. */
export function parseVersion(text: string): Version {
  const flavour = /mariadb/i.test(text) ? 'mariadb' : 'mysql';
  // Programs name two versions: `Ver 10.19 Distrib 10.11.19-MariaDB`, `from 11.4.2-MariaDB, client 10.19`.
  const named = /(?:Distrib|from) (\d+\.\d+\.\d+)/.exec(text) ?? /(\d+\.\d+\.\d+)/.exec(text.replace(/^5\.5\.5-/, ''));
  const version = named?.[1] ?? '0.0.0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return { flavour, text: version, rank: major * 1000 + minor };
}

async function candidateFolders(): Promise<readonly string[]> {
  const onPath = await Promise.all(pairs.map(([dump]) => findProgram(dump)));
  const folders = onPath.filter((path) => path !== undefined).map(dirname);
  for (const [parent, name] of elsewhere) {
    const names = await readdir(parent).catch(() => []);
    folders.push(...names.filter((entry) => name.test(entry)).map((entry) => join(parent, entry, 'bin')));
  }
  return [...new Set(folders)];
}
