/**
 * The search for a configuration that nobody named: the working folder, then the user's config folder, then the
 * system's. Not the folders above: what a command does must not depend on which parent happens to hold a file.
 */
import { lstat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { DbBackupError } from '../errors.ts';

const names = ['dbbackup.yaml', 'dbbackup.yml', 'dbbackup.json'];
const runCommands = ['.dbbackuprc', '.dbbackuprc.json', '.dbbackuprc.yaml', '.dbbackuprc.yml'];
const places = [...names, ...runCommands];

/** Absolute path of the first configuration. @throws CONFIG_NOT_FOUND with the places it looked in. */
export async function findConfig(cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folders = [cwd, userFolder(env), '/etc/dbbackup'];
  const explorer = await openExplorer();
  for (const folder of folders) {
    const found = (await explorer.search(folder))?.filepath;
    await refuseUnreadable(folder, found);
    if (found !== undefined) return found;
  }
  throw new DbBackupError(
    'CONFIG_NOT_FOUND',
    `no configuration found; looked for ${names[0]} in ${folders.join(', ')}`,
    {
      hint: 'Name one with --config <file> or DBBACKUP_CONFIG, or let `dbbackup init` write a first one.',
    },
  );
}

/** The configuration that one folder has, whoever may read it. */
export async function configIn(folder: string): Promise<string | undefined> {
  for (const place of places) {
    const stats = await lstat(join(folder, place)).catch(() => undefined);
    if (stats !== undefined && !stats.isDirectory()) return join(folder, place);
  }
  return undefined;
}

/** XDG Base Directory Specification: a relative XDG_CONFIG_HOME is ignored. */
function userFolder(env: NodeJS.ProcessEnv): string {
  const configured = env['XDG_CONFIG_HOME'];
  const base = configured && isAbsolute(configured) ? configured : join(env['HOME'] || homedir(), '.config');
  return join(base, 'dbbackup');
}

/**
 * cosmiconfig finds, we read: only so is the file that was checked the file that is used, and nothing is run.
 * Left alone it first loads its *own* settings from `.config/config.js` or package.json of the working folder, and so
 * runs whatever lies there; that list of places is emptied.
 */
async function openExplorer() {
  const [{ cosmiconfig }, { metaSearchPlaces }] = await Promise.all([
    import('cosmiconfig'),
    import('cosmiconfig/dist/defaults.js'),
  ]);
  metaSearchPlaces.length = 0;
  const loader = () => ({});
  return cosmiconfig('dbbackup', {
    searchPlaces: places,
    searchStrategy: 'none',
    ignoreEmptySearchPlaces: false,
    cache: false,
    loaders: { '.yaml': loader, '.yml': loader, '.json': loader, noExt: loader },
  });
}

/** cosmiconfig passes over a file that it may not read; the next one would silently take its place. */
async function refuseUnreadable(folder: string, found: string | undefined): Promise<void> {
  const before = found === undefined ? places : places.slice(0, places.indexOf(basename(found)));
  for (const place of before) {
    const path = join(folder, place);
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined || stats.isDirectory()) continue;
    throw new DbBackupError('CONFIG_INVALID', `the configuration ${path} cannot be read`, {
      hint: 'Make it readable for this user, or name another one with --config <file>.',
    });
  }
}
