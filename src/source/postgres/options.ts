/**
 * What the config may say about a PostgreSQL source, and the one URL grammar of libpq.
 * Whatever is left out is filled in by libpq itself, as psql does: PG* variables, `.pgpass`, service files, sockets.
 */
import { z } from 'zod';
import type { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import { malformedUrl } from '../malformed-url.ts';
import { refusalOf } from './extra-arguments.ts';

const text = z.string().min(1);

const extraArgument = z.string().superRefine((argument, context) => {
  const reason = refusalOf(argument);
  if (reason)
    context.addIssue({ code: 'custom', message: `${argument.split('=')[0]} cannot be given here: ${reason}` });
});

export const postgresOptions = z.strictObject({
  /** `postgres://user:password@host:port/database?sslmode=require`, as libpq has it. The fields below go before it. */
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'expected postgres://…')
    .optional(),
  /** A host, a folder of Unix sockets, or several hosts separated by commas. */
  host: text.optional(),
  port: z.union([z.number().int().min(1).max(65535), z.string().regex(/^\d+(,\d+)*$/)]).optional(),
  user: text.optional(),
  password: text.optional(),
  database: text.optional(),
  /** Section of the service file (`~/.pg_service.conf`). */
  service: text.optional(),
  sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).optional(),
  sslrootcert: text.optional(),
  sslcert: text.optional(),
  sslkey: text.optional(),
  passfile: text.optional(),
  /** Folder with psql, pg_dump and pg_restore; without it PATH and the usual versioned folders are searched. */
  clientFolder: text.optional(),
  /** Where the programs run: `[docker, exec, -i, db]`. Hosts, paths and what is left out are meant as they are there. */
  prefix: z.array(text).min(1).optional(),
  /** Passed to pg_dump as they are. */
  dumpArguments: z.array(extraArgument).optional(),
  /** Passed to pg_restore as they are. */
  restoreArguments: z.array(extraArgument).optional(),
  /** What a provider keeps for itself is left out of dumps, and of restores. */
  preset: z.enum(['supabase']).optional(),
  /** Roles and tablespaces with the bundles of jobs that say `databases`; true unless it says false. */
  globals: z.boolean().optional(),
  /** With the hashes of the roles' passwords, which takes a superuser. */
  rolePasswords: z.boolean().optional(),
});

export type PostgresOptions = z.infer<typeof postgresOptions>;

/** Connection parameters by libpq's keywords (manual, 34.1.2). */
export type Parameters = Readonly<Record<string, string>>;

/** What a URL's query may name: the parameters that libpq also reads from the environment. */
const keywords = new Set(
  `host hostaddr port user password dbname passfile service sslmode sslrootcert sslcert sslkey sslcrl sslnegotiation
   connect_timeout options application_name channel_binding target_session_attrs gssencmode krbsrvname requirepeer
   ssl_min_protocol_version ssl_max_protocol_version`.split(/\s+/),
);

/** The URL's parts under the fields of the config; an empty record means "whatever libpq finds". Registers the password. */
export function connectionParameters(options: PostgresOptions): Parameters {
  const fields = [
    'host',
    'user',
    'password',
    'service',
    'sslmode',
    'sslrootcert',
    'sslcert',
    'sslkey',
    'passfile',
  ] as const;
  const parameters: Record<string, string> = options.url === undefined ? {} : parseUrl(options.url);
  for (const field of fields) if (options[field] !== undefined) parameters[field] = options[field];
  if (options.port !== undefined) parameters['port'] = String(options.port);
  if (options.database !== undefined) parameters['dbname'] = options.database;
  if (parameters['password']) registerSecret(parameters['password']);
  return parameters;
}

const shape = /^postgres(?:ql)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?#@]*)(?:\/([^?#@]*))?(?:\?([^#]*))?$/;

/** Manual, 34.1.1.2: several hosts, IPv6 in brackets, percent-encoded parts. Throws USAGE. */
function parseUrl(url: string): Record<string, string> {
  const [matched, user, password, hosts = '', database, query = ''] = shape.exec(url) ?? [];
  if (matched === undefined) throw malformed(url);
  const parts = hosts.split(',').map((host) => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host) ?? []);
  const parameters: Record<string, string | undefined> = {
    host: parts.map((part) => (part[1] ?? '').replace(/^\[|\]$/g, '')).join(','),
    port: parts.map((part) => part[2] ?? '').join(','),
    user,
    password,
    dbname: database,
  };
  if (parts.some((part) => part.length === 0)) throw malformed(url);
  if (/^,*$/.test(parameters['port'] ?? '')) parameters['port'] = undefined;
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    // With an `@` behind it, this may be the middle of a password.
    if (!keywords.has(key)) throw malformed(url, query.includes('@') ? undefined : `unknown parameter "${key}"`);
    parameters[key] = value;
  }
  return decodeAll(parameters, url);
}

function decodeAll(parameters: Record<string, string | undefined>, url: string): Record<string, string> {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return Object.fromEntries(given.map(([key, value]) => [key, decodeURIComponent(value)]));
  } catch {
    throw malformed(url, 'a % that is not followed by two hex digits');
  }
}

function malformed(url: string, what = 'not a connection URL'): DbBackupError {
  return malformedUrl(
    url,
    what,
    'Write postgres://user@host:5432/database; letters such as @ : / % # ? in a part are percent-encoded.',
  );
}
