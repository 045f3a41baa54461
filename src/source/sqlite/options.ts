/** What the config may say about a SQLite source, and what counts as a path to one. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DbBackupError } from '../../errors.ts';
import { duration } from '../../value/duration.ts';

const defaultBusyTimeoutMs = 5000;

export const sqliteOptions = z.strictObject({
  /** The database file; relative to the config's folder, `~` for the home folder. */
  path: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'), 'expected a path without NUL characters'),
  /** How long to wait for a database that someone else has locked; 5s unless told. */
  busyTimeout: duration('zero allowed').optional(),
  /** Where the file lies: `[docker, exec, -i, app]`; the path is meant as it is there. */
  prefix: z.array(z.string().min(1)).min(1).optional(),
});

export type SqliteOptions = z.infer<typeof sqliteOptions>;

/** Milliseconds; no more than SQLite can count. */
export function busyTimeoutMs({ busyTimeout = defaultBusyTimeoutMs }: SqliteOptions): number {
  return Math.min(busyTimeout, 0x7fffffff);
}

/** Absolute, so that no name can be taken for an option or a URL. */
export function databasePath(options: SqliteOptions, baseFolder: string): string {
  return resolve(baseFolder, options.path.replace(/^~(?=\/|$)/, homedir()));
}

/** A plain path, `sqlite:path`, `sqlite:///path` or `file:` URL; undefined for what belongs to another engine. */
export function optionsFromTarget(target: string): SqliteOptions | undefined {
  if (target === '') return undefined;
  if (/^(sqlite|file):/i.test(target)) return { path: pathOfUrl(target) };
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(target) ? undefined : { path: target };
}

/** `sqlite:shop.db` and `sqlite:///srv/shop.db` are as people write them; only `//` makes it a percent-encoded URL. */
function pathOfUrl(target: string): string {
  const rest = target.slice(target.indexOf(':') + 1);
  if (rest !== '' && !rest.startsWith('//')) return rest;
  try {
    if (rest !== '') return fileURLToPath(`file:${rest}`);
  } catch (cause) {
    throw malformed(target, cause);
  }
  throw malformed(target);
}

function malformed(target: string, cause?: unknown): DbBackupError {
  return new DbBackupError('USAGE', `cannot read the target ${target} as a path`, {
    cause,
    hint: 'Write a path, sqlite:relative/path or sqlite:///absolute/path.',
  });
}
