import { stat } from 'node:fs/promises';
import type { SourceSetup, Suggestion, Surroundings } from '../../setup.ts';
import { urlPattern } from './options.ts';

export const mysqlSetup: SourceSetup = {
  title: 'MySQL or MariaDB',
  questions: [
    {
      option: 'url',
      kind: 'url',
      message: 'Connection URL, as mysql://user@host:3306/database (empty: answer part by part)',
    },
    { option: 'host', kind: 'text', message: "Host (empty: the client's default)", without: ['url', 'socket'] },
    { option: 'port', kind: 'number', message: 'Port (empty: 3306)', without: ['url', 'socket'], with: 'host' },
    { option: 'user', kind: 'text', message: 'User (empty: as ~/.my.cnf says)', without: ['url'] },
    { option: 'database', kind: 'database', message: 'Database', without: ['url'], required: true },
    { option: 'password', kind: 'secret', message: 'Password', onRefusal: /Access denied/ },
  ],
  more: [
    'ssl: verify # TLS with certificate and host name checked; sslCa for an authority of your own',
    'Left out, a password comes from ~/.my.cnf, and all else as the client finds it.',
  ],
  async suggest(surroundings) {
    return [...fromEnvironment(surroundings), ...(await fromSockets())];
  },
  firstRestore: (source) => `--to ${source} --database restored --create`,
};

function fromEnvironment({ env }: Surroundings): readonly Suggestion[] {
  return ['DATABASE_URL', 'MYSQL_URL', 'MARIADB_URL']
    .filter((name) => urlPattern.test(env[name] ?? ''))
    .map((name) => ({ label: `MySQL or MariaDB at $${name}`, options: { url: `\${${name}}` } }));
}

/** Debian's, Red Hat's, and the default of MySQL's own packages. */
const sockets = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

async function fromSockets(): Promise<readonly Suggestion[]> {
  const found: Suggestion[] = [];
  for (const socket of sockets) {
    if (!(await stat(socket).catch(() => undefined))?.isSocket()) continue;
    const label = `MySQL or MariaDB on this machine (${socket})`;
    found.push({ label, options: { socket }, open: ['user', 'database'] });
  }
  return found;
}
