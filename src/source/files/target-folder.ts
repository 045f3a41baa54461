import { access, constants, lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import type { OwnPlaces } from '../source.ts';
import { Own } from './own.ts';

export interface TargetFolder {
  /** Absolute, links resolved. */
  readonly path: string;
  readonly exists: boolean;
  readonly hasData: boolean;
}

/** Looks at a restore target and changes nothing. Throws TARGET_FAILED, TARGET_IN_USE. */
export async function lookAtTarget(wanted: string, own: OwnPlaces | undefined): Promise<TargetFolder> {
  const path = await realpath(wanted).catch(() => undefined);
  const target = path === undefined ? await newTarget(wanted) : await existingTarget(path, own);
  const folder = dirname(target.path);
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw unfit(wanted, `the folder ${folder}, in which it is built, may not be written to`, cause);
  });
  return target;
}

async function newTarget(path: string): Promise<TargetFolder> {
  // A link that leads nowhere is a name that is taken, too.
  if (await lstat(path).catch(() => undefined)) throw unfit(path, 'it is a link that leads nowhere, or unreadable');
  const folder = await realpath(dirname(path)).catch(() => undefined);
  if (folder === undefined) throw unfit(path, `the folder ${dirname(path)} does not exist`);
  return { path, exists: false, hasData: false };
}

async function existingTarget(path: string, own: OwnPlaces | undefined): Promise<TargetFolder> {
  if (!(await stat(path)).isDirectory()) throw unfit(path, 'it exists and is not a folder');
  const mount = (await mountPoints()).find((point) => point === path || point.startsWith(`${path}/`));
  if (mount !== undefined) {
    throw new DbBackupError('TARGET_IN_USE', `cannot restore into ${path}: a file system is mounted at ${mount}`, {
      hint: 'The folder is replaced as a whole, which a mount point cannot be: name a new folder in it, and move from there.',
    });
  }
  const [mine] = own === undefined ? [] : new Own(path, { ...own, written: [] }).foldersInside();
  if (mine !== undefined) {
    throw new DbBackupError('TARGET_IN_USE', `cannot restore into ${path}: dbbackup keeps its own things in ${mine}`, {
      hint: 'The folder is replaced as a whole, and the backups in it would be gone: name a new folder, and move from there.',
    });
  }
  return { path, exists: true, hasData: (await readdir(path)).length > 0 };
}

/** proc_pid_mountinfo(5): the fifth field, with octal escapes. Elsewhere than on Linux the kernel refuses later. */
async function mountPoints(): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const decoded = (point: string) =>
    point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return text.split('\n').map((line) => decoded(line.split(' ')[4] ?? ''));
}

function unfit(path: string, why: string, cause?: unknown): DbBackupError {
  return new DbBackupError('TARGET_FAILED', `cannot restore into ${path}: ${why}`, {
    cause,
    hint: 'Name a new folder in an existing one that this user may write to.',
  });
}
