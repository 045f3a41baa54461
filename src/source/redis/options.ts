/** What the config may say about a Redis or Valkey server, or about the data folder of a stopped one. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import { malformedUrl } from '../malformed-url.ts';

/** The programs take arguments, and those hold no NUL. */
const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes('\0'), 'expected text without NUL characters');
export const urlPattern = /^(redis|rediss|valkey|valkeys):\/\//;

export const redisOptions = z
  .strictObject({
    /** `redis://user:password@host:6379`, with TLS `rediss://…`; also `valkey://…`. The fields below go before it. */
    url: z.string().regex(urlPattern, 'expected redis://…, rediss://… or valkey://…').optional(),
    host: text.optional(),
    port: z.number().int().min(1).max(65535).optional(),
    /** Of the server's ACL; without it the user `default`. */
    user: text.optional(),
    password: text.optional(),
    /** Path of the Unix socket. */
    socket: text.optional(),
    /** `verify`: the certificate must be signed by a known authority. */
    tls: z.enum(['disable', 'require', 'verify']).optional(),
    tlsCa: text.optional(),
    tlsCert: text.optional(),
    tlsKey: text.optional(),
    /** Name sent to the server (SNI). */
    tlsServerName: text.optional(),
    /** Folder with redis-cli or valkey-cli; without it PATH is searched. */
    clientFolder: text.optional(),
    /** Where the client runs: `[docker, exec, -i, cache]`. Hosts and paths are meant as they are there. */
    prefix: z.array(text).min(1).optional(),
    /** Only to restore: the data folder of a server that is stopped, or the .rdb file in it. */
    dataFolder: text.optional(),
  })
  .refine((given) => given.dataFolder === undefined || Object.keys(given).length === 1, {
    path: ['dataFolder'],
    message: 'stands alone: a server and the data folder of a stopped one are two sources',
  });

export type RedisOptions = z.infer<typeof redisOptions>;

export interface Parameters {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly socket?: string;
  readonly tls?: 'disable' | 'require' | 'verify';
}

/** The URL's parts under the fields of the config. Registers the password. Throws USAGE. */
export function connectionParameters(options: RedisOptions): Parameters {
  const { host, port, user, password, socket, tls } = options;
  const given = Object.entries({ host, port, user, password, socket, tls }).filter(([, value]) => value !== undefined);
  const parameters: Parameters = { ...(options.url && parseUrl(options.url)), ...Object.fromEntries(given) };
  if (parameters.password) registerSecret(parameters.password);
  return parameters;
}

const shape = /^(\w+):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\[[^\]]*\]|[^:/?#@]*)(?::(\d{1,5}))?(?:\/(\d*))?$/;

function parseUrl(url: string): Parameters {
  const [matched, scheme = '', user, password, host = '', port, database] = shape.exec(url) ?? [];
  if (matched === undefined) throw malformed(url, 'not a connection URL');
  if (Number(database ?? 0) !== 0) throw malformed(url, 'a backup holds all databases of the server');
  const parts = { user, password, host: host.replace(/^\[|\]$/g, '') };
  const given = Object.entries(parts).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    const decoded = Object.fromEntries(given.map(([key, value]) => [key, decodeURIComponent(value)]));
    return {
      ...decoded,
      ...(port && { port: Number(port) }),
      ...(scheme.endsWith('s') && scheme !== 'redis' && { tls: 'verify' }),
    };
  } catch {
    throw malformed(url, 'a % that is not followed by two hex digits');
  }
}

function malformed(url: string, what: string): DbBackupError {
  return malformedUrl(
    url,
    what,
    'Write redis://user@host:6379 or, with TLS, rediss://…; letters such as @ : / % # ? in a part are percent-encoded.',
  );
}

/** A URL is a server; a path is the data folder of a stopped one. Undefined for what belongs to another engine. */
export function optionsFromTarget(target: string): RedisOptions | undefined {
  if (urlPattern.test(target)) return { url: target };
  return target === '' || /^[a-z][a-z0-9+.-]*:/i.test(target) ? undefined : { dataFolder: target };
}

const paths = ['socket', 'tlsCa', 'tlsCert', 'tlsKey', 'clientFolder', 'dataFolder'] as const;

/** Relative to the config's folder, `~` for the home folder; behind a prefix they are meant as they are there. */
export function absolutePaths(options: RedisOptions, baseFolder: string): RedisOptions {
  const absolute: Record<string, string> = {};
  for (const key of paths) {
    const path = options[key];
    if (path === undefined || (options.prefix !== undefined && key !== 'dataFolder')) continue;
    absolute[key] = resolve(baseFolder, path.replace(/^~(?=\/|$)/, homedir()));
  }
  return { ...options, ...absolute };
}
