/** What the config may say about a folder, and what counts as a path to one. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DbBackupError } from '../../errors.ts';

const patterns = z.array(z.string().min(1)).min(1).optional();

export const filesOptions = z.strictObject({
  /** The folder; relative to the config's folder, `~` for the home folder. */
  path: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'), 'expected a path without NUL characters'),
  /** Only these, in the language of .gitignore, relative to `path`. */
  include: patterns,
  /** Not these, in the language of .gitignore, relative to `path`. */
  exclude: patterns,
  /** A file that is written to while it is read: `fail` (default), or `warn` and keep what was read of it. */
  changedFiles: z.enum(['fail', 'warn']).optional(),
  /** Restore symbolic links that lead out of the folder; otherwise such a restore is refused. */
  outsideLinks: z.boolean().optional(),
  /** Restore the setuid and setgid bits of files; otherwise they are dropped. */
  setuid: z.boolean().optional(),
});

export type FilesOptions = z.infer<typeof filesOptions>;

/** Absolute. */
export function folderPath(options: FilesOptions, baseFolder: string): string {
  return resolve(baseFolder, options.path.replace(/^~(?=\/|$)/, homedir()));
}

/** A plain path, `files:path`, or `files:///path?outsideLinks=true&setuid=true`. */
export function optionsFromTarget(target: string): FilesOptions | undefined {
  if (target === '') return undefined;
  if (/^files:\/\//i.test(target)) return optionsOfUrl(target);
  if (/^files:./i.test(target)) return { path: target.slice('files:'.length) };
  return /^[a-z][a-z0-9+.-]*:/i.test(target) ? undefined : { path: target };
}

function optionsOfUrl(target: string): FilesOptions {
  try {
    const url = new URL(target.replace(/^files:/i, 'file:'));
    const flags = Object.fromEntries([...url.searchParams].map(([name, value]) => [name, value === 'true']));
    url.search = '';
    return filesOptions.parse({ path: fileURLToPath(url), ...flags });
  } catch (cause) {
    throw new DbBackupError('USAGE', `cannot read the target ${target} as a folder`, {
      cause,
      hint: 'Write a path, files:relative/path or files:///absolute/path?outsideLinks=true&setuid=true.',
    });
  }
}
