/**
 * What the config may say about a MySQL or MariaDB source, and its URL. What is left out is found as the client programs
 * find it: `/etc/my.cnf`, `/etc/mysql/my.cnf`, `~/.my.cnf`, their own defaults.
 */
import { z } from 'zod';
import type { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import { malformedUrl } from '../malformed-url.ts';

const text = z.string().min(1);
export const urlPattern = /^(mysql|mariadb):\/\//;

export const mysqlOptions = z.strictObject({
  /** `mysql://user:password@host:3306/database`, or `mariadb://…`. The fields below go before it. */
  url: z.string().regex(urlPattern, 'expected mysql://… or mariadb://…').optional(),
  host: text.optional(),
  port: z.number().int().min(1).max(65535).optional(),
  user: text.optional(),
  password: text.optional(),
  database: text.optional(),
  /** Path of the Unix socket. */
  socket: text.optional(),
  /** `verify`: the certificate and the host's name are checked. Without it: as the client has it. */
  ssl: z.enum(['disable', 'require', 'verify']).optional(),
  sslCa: text.optional(),
  sslCert: text.optional(),
  sslKey: text.optional(),
  /** Folder with the programs; without it PATH and the usual folders are searched. */
  clientFolder: text.optional(),
  /** Where the programs run: `[docker, exec, -i, db]`. Host, paths and what is left out are meant as they are there. */
  prefix: z.array(text).min(1).optional(),
  /** Use a client that is older than the server all the same. */
  allowOlderClient: z.boolean().optional(),
  /** Passed to mariadb-dump or mysqldump as they are. */
  dumpArguments: z.array(z.string()).optional(),
});

export type MysqlOptions = z.infer<typeof mysqlOptions>;

export interface Parameters {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly socket?: string;
}

/** The URL's parts under the fields of the config. Registers the password. Throws USAGE. */
export function connectionParameters(options: MysqlOptions): Parameters {
  const { host, port, user, password, database, socket } = options;
  const given = Object.entries({ host, port, user, password, database, socket }).filter(
    ([, value]) => value !== undefined,
  );
  const parameters: Parameters = { ...(options.url && parseUrl(options.url)), ...Object.fromEntries(given) };
  if (parameters.password) registerSecret(parameters.password);
  return parameters;
}

function parseUrl(url: string): Parameters {
  const shape =
    /^\w+:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\[[^\]]*\]|[^:/?#@]*)(?::(\d+))?(?:\/([^?#/@]*))?(?:\?([^#]*))?$/;
  const [matched, user, password, host = '', port, database, query = ''] = shape.exec(url) ?? [];
  if (matched === undefined) throw malformed(url, 'not a connection URL');
  const [, socket] = /^socket=(.*)$/.exec(query) ?? [];
  if (query !== '' && socket === undefined) throw malformed(url, 'only ?socket=… may follow the database');
  const parts = { user, password, host: host.replace(/^\[|\]$/g, ''), database, socket };
  const given = Object.entries(parts).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    const decoded = Object.fromEntries(given.map(([key, value]) => [key, decodeURIComponent(value)]));
    return port === undefined ? decoded : { ...decoded, port: Number(port) };
  } catch {
    throw malformed(url, 'a % that is not followed by two hex digits');
  }
}

function malformed(url: string, what: string): DbBackupError {
  return malformedUrl(
    url,
    what,
    'Write mysql://user@host:3306/database; letters such as @ : / % # ? in a part are percent-encoded.',
  );
}
