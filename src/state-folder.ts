/**
 * Where dbbackup keeps what it knows of its own work: `history.sqlite`, `lock/`, `cache/`, `tmp/<execution>/`.
 * Guarantees: one place per user whatever the working folder, so that root's cron and root's shell share locks and
 * history; the folder and everything in it are readable by their owner alone. No backup depends on it.
 */
import { access, chmod, constants, mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { DbBackupError, messageOf } from './errors.ts';
import { makeFolder } from './make-folder.ts';

export interface StateFolderChoice {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `state.dir` of the config. */
  readonly configured?: string;
  /** Default: the process's own. */
  readonly uid?: number;
}

/**
 * The absolute path of the state folder: DBBACKUP_STATE_DIR, else the configured one, else the system's for root, else
 * the user's (XDG Base Directory Specification: a relative XDG_STATE_HOME is ignored). Touches nothing.
 */
export function stateFolder({ env, configured, uid = process.getuid?.() }: StateFolderChoice): string {
  const chosen = env['DBBACKUP_STATE_DIR'] || configured;
  if (chosen) return path.resolve(chosen);
  if (uid === 0) return '/var/lib/dbbackup';
  const xdg = env['XDG_STATE_HOME'];
  const base = xdg && path.isAbsolute(xdg) ? xdg : path.join(env['HOME'] || homedir(), '.local', 'state');
  return path.join(base, 'dbbackup');
}

/** Makes a folder of ours (0700) with its parents and returns it. Throws CONFIG_INVALID when it cannot be had. */
export async function openStateFolder(folder: string): Promise<string> {
  try {
    const made = await makeFolder(folder);
    if (made !== undefined) await chmod(folder, 0o700);
    return folder;
  } catch (cause) {
    throw new DbBackupError('CONFIG_INVALID', `state folder ${folder} cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: 'Name a folder that you may write with DBBACKUP_STATE_DIR or state.dir in the config.',
    });
  }
}

/**
 * A folder for one command that only reads, where the default one cannot be had: at three in the morning, on a machine
 * that knows nothing, the backup must come back all the same. The caller removes it. Undefined where the folder can be
 * used, or was chosen by someone, who then hears that it cannot.
 */
export async function standInFolder({ env, configured, uid }: StateFolderChoice): Promise<string | undefined> {
  if (env['DBBACKUP_STATE_DIR'] || configured) return undefined;
  try {
    const folder = await openStateFolder(stateFolder({ env, uid }));
    await access(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return mkdtemp(path.join(env['TMPDIR'] || tmpdir(), 'dbbackup-'));
  }
}

/** The audit log; see src/history. */
export function historyFile(state: string): string {
  return path.join(state, 'history.sqlite');
}

/** Where the run locks are; see src/lock. */
export function lockFolder(state: string): string {
  return path.join(state, 'lock');
}

/** The temporary folder of one execution; whoever finds the execution dead may remove it. */
export function temporaryFolder(state: string, executionId: string): string {
  return path.join(state, 'tmp', executionId);
}

/** What was read from one destination before, to be believed only where the store agrees; see src/operation/storage. */
export function cacheFile(state: string, destination: string): string {
  return path.join(state, 'cache', `sidecars-${destination}`);
}
