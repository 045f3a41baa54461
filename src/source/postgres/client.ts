/**
 * Finds psql, pg_dump and pg_restore among all the versions that are installed, and picks those that suit the server.
 * Refuses: a pg_dump older than the server, which refuses to work itself, only later.
 */
import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { capture, findProgram, type Prefix } from '../../process/process.ts';

export interface Client {
  readonly folder: string;
  /** `15.18`. */
  readonly version: string;
  readonly major: number;
}

/** Debian and Ubuntu; Red Hat; Homebrew on Apple and on Intel. */
const versioned: readonly (readonly [folder: string, name: RegExp, programs: string])[] = [
  ['/usr/lib/postgresql', /^\d+$/, 'bin'],
  ['/usr', /^pgsql-\d+$/, 'bin'],
  ['/opt/homebrew/opt', /^(postgresql(@\d+)?|libpq)$/, 'bin'],
  ['/usr/local/opt', /^(postgresql(@\d+)?|libpq)$/, 'bin'],
];
/** `pg_restore -f -` came with 12. */
const oldestMajor = 12;

/** Folders of this machine that have a pg_dump. Starts nothing. */
export async function findFolders(folder: string | undefined): Promise<readonly string[]> {
  const folders = folder === undefined ? await candidateFolders() : [folder];
  const found = await Promise.all(folders.map((each) => findProgram(join(each, 'pg_dump'))));
  // A folder of a removed version may stay behind empty.
  return folders.filter((_, at) => found[at] !== undefined);
}

/** All usable clients, lowest major first; what is on PATH goes before what has the same major elsewhere. */
export async function findClients(
  folder: string | undefined,
  signal: AbortSignal,
  prefix?: Prefix,
): Promise<readonly [Client, ...Client[]]> {
  const found = prefix ? await readRemoteClients(folder, prefix, signal) : await readClients(folder, signal);
  const clients = found.toSorted((a, b) => a.major - b.major);
  const [first, ...others] = clients.filter((client) => client.major >= oldestMajor);
  if (first !== undefined) return [first, ...others];
  if (clients.length > 0) throw tooOld(`pg_dump ${clients.at(-1)?.version} is older than ${oldestMajor}`, oldestMajor);
  const there = prefix === undefined ? '' : ` by "${prefix.words.join(' ')}"`;
  const where = `${folder === undefined ? 'on PATH or in the usual folders' : `in ${folder}`}${there}`;
  throw new DbBackupError('TOOL_MISSING', `pg_dump was not found ${where}`, {
    hint: 'Install the client: apt-get install postgresql-client, brew install libpq, or set "clientFolder".',
  });
}

/** To dump with: the same major as the server, otherwise the next newer one. */
export function chooseClient(clients: readonly Client[], serverMajor: number, serverVersion: string): Client {
  const client = clients.find(({ major }) => major >= serverMajor);
  if (client !== undefined) return client;
  const newest = clients.at(-1)?.version;
  throw tooOld(`the server is PostgreSQL ${serverVersion}, the newest pg_dump here is ${newest}`, serverMajor);
}

/**
 * To load a dump with: the same, and where all are older than the server, the newest. A dump is SQL, which newer servers
 * understand, and programs that load ask for no version. `oldest`: the major from which on they can read the dump.
 */
export function chooseLoader(clients: readonly Client[], serverMajor: number, oldest = oldestMajor): Client {
  const able = clients.filter(({ major }) => major >= oldest);
  const client = able.find(({ major }) => major >= serverMajor) ?? able.at(-1);
  if (client !== undefined) return client;
  throw tooOld(
    `the dump was made by pg_dump ${oldest} or newer, the newest pg_restore here is ${clients.at(-1)?.version}`,
    oldest,
  );
}

function tooOld(message: string, major: number): DbBackupError {
  return new DbBackupError('TOOL_TOO_OLD', message, {
    hint: `Install a client that is at least as new: apt-get install postgresql-client-${major} (apt.postgresql.org has all versions), or brew install postgresql@${major}.`,
  });
}

async function readClients(folder: string | undefined, signal: AbortSignal): Promise<readonly Client[]> {
  const folders = await findFolders(folder);
  return Promise.all(
    folders.map(async (each) => {
      const { stdout } = await capture({ command: join(each, 'pg_dump'), args: ['--version'], signal });
      return clientIn(each, stdout);
    }),
  );
}

/** The same on the other side, in one go. Each line: the folder, a tab, what pg_dump says. */
const remoteSearch = `
if [ -n "$1" ]; then set -- "$1"; else
  p=$(command -v pg_dump) && case $(readlink -f "$p" 2>/dev/null) in *pg_wrapper) p=;; esac
  set -- \${p:+"\${p%/*}"} /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin
fi
for d in "$@"; do
  [ -x "$d/pg_dump" ] && printf '%s\\t%s\\n' "$d" "$("$d/pg_dump" --version)"
done; true`;

async function readRemoteClients(folder = '', prefix: Prefix, signal: AbortSignal): Promise<readonly Client[]> {
  const args = ['-c', remoteSearch, 'sh', folder];
  const { stdout } = await capture({ command: 'sh', args, prefix, signal });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [found = '', said = ''] = line.split('\t');
    return clientIn(found, said);
  });
}

async function candidateFolders(): Promise<string[]> {
  const onPath = await findProgram('pg_dump');
  // Debian's wrapper picks a version by rules of its own; behind it are the folders that are listed below.
  const wrapped = onPath === undefined || (await realpath(onPath)).endsWith('pg_wrapper');
  const folders = wrapped ? [] : [dirname(onPath)];
  for (const [parent, name, programs] of versioned) {
    const names = await readdir(parent).catch(() => []);
    folders.push(...names.filter((entry) => name.test(entry)).map((entry) => join(parent, entry, programs)));
  }
  return folders;
}

/** `said`: what its pg_dump answers to --version. */
function clientIn(folder: string, said: string): Client {
  const version = /\d+(\.\d+)*/.exec(said)?.[0] ?? '0';
  return { folder, version, major: Number.parseInt(version, 10) };
}
