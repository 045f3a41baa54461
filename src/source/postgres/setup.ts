import { readdir } from 'node:fs/promises';
import type { SourceSetup, Suggestion, Surroundings } from '../../setup.ts';

export const postgresSetup: SourceSetup = {
  title: 'PostgreSQL',
  questions: [
    {
      option: 'url',
      kind: 'url',
      message: 'Connection URL, as postgres://user@host:5432/database (empty: answer part by part)',
    },
    {
      option: 'host',
      kind: 'text',
      message: "Host, or folder of sockets (empty: psql's default)",
      without: ['url'],
    },
    { option: 'port', kind: 'number', message: 'Port (empty: 5432)', without: ['url'] },
    { option: 'user', kind: 'text', message: 'User (empty: as psql finds it)', without: ['url'] },
    { option: 'database', kind: 'database', message: 'Database', without: ['url'] },
    {
      option: 'password',
      kind: 'secret',
      message: 'Password',
      onRefusal: /authentication failed|no password supplied|password required/,
    },
  ],
  more: [
    'sslmode: verify-full # TLS, as libpq has it; with sslrootcert',
    'prefix: [docker, exec, -i, db] # where the tools run, when not on this machine',
    'Left out, a password comes from PGPASSWORD or ~/.pgpass, and all else as psql finds it.',
  ],
  async suggest(surroundings) {
    return [...fromEnvironment(surroundings), ...(await fromSockets())];
  },
  firstRestore: (source) => `--to ${source} --database restored --create`,
};

function fromEnvironment({ env }: Surroundings): readonly Suggestion[] {
  const urls = ['DATABASE_URL', 'POSTGRES_URL'].filter((name) => /^postgres(ql)?:\/\//.test(env[name] ?? ''));
  const named = ['PGSERVICE', 'PGHOST', 'PGDATABASE'].filter((name) => env[name]);
  return [
    ...urls.map((name) => ({ label: `PostgreSQL at $${name}`, options: { url: `\${${name}}` } })),
    ...(named.length > 0
      ? [{ label: `PostgreSQL as psql finds it (${named.join(', ')})`, options: {}, open: openAt(env) }]
      : []),
  ];
}

/** A service knows its database, and so may the environment. */
function openAt(env: NodeJS.ProcessEnv): readonly string[] {
  return env['PGSERVICE'] || env['PGDATABASE'] ? [] : ['database'];
}

/** Where Debian's packages, and libpq's own default, have their sockets. */
const socketFolders = ['/var/run/postgresql', '/tmp'];

async function fromSockets(): Promise<readonly Suggestion[]> {
  const found: Suggestion[] = [];
  for (const host of socketFolders) {
    for (const name of await readdir(host).catch(() => [])) {
      const port = /^\.s\.PGSQL\.(\d+)$/.exec(name)?.[1];
      if (port === undefined) continue;
      const label = `PostgreSQL on this machine, port ${port} (socket in ${host})`;
      found.push({ label, options: { host, port: Number(port) }, open: ['database'] });
    }
  }
  return found;
}
