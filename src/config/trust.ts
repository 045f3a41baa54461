import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DbBackupError } from '../errors.ts';

/**
 * Refuses a configuration that was only found and that someone else could have written, since it can run commands.
 * As ssh does with its own (readconf.c): owner is this user or root, not writable by others. Group-writable is allowed
 * only for the owner's private group (same number), which a umask of 002 gives. A symbolic link's owner counts too,
 * and its folder may be writable by everyone only with the sticky bit (as /tmp): otherwise anyone could exchange the
 * file, or the scripts beside it.
 * @param opened what was opened: the very file that will be read.
 * @throws CONFIG_UNTRUSTED
 */
export async function assertTrusted(file: string, opened: Stats): Promise<void> {
  const [link, folder] = await Promise.all([lstat(file), stat(dirname(file))]);
  const reason =
    distrust(opened) ??
    (isForeign(link) ? 'is a link made by another user' : undefined) ??
    (isOpenFolder(folder) ? 'lies in a folder that everyone may write to' : undefined);
  if (reason === undefined) return;
  throw new DbBackupError('CONFIG_UNTRUSTED', `the configuration ${file} ${reason}, and it can run commands`, {
    hint: `If it is meant, name it: --config ${file}. Otherwise correct its owner and mode (chmod go-w).`,
  });
}

function distrust(file: Stats): string | undefined {
  if (isForeign(file)) return 'belongs neither to this user nor to root';
  if (file.mode & 0o002) return 'may be written by everyone';
  if (file.mode & 0o020 && file.gid !== file.uid) return 'may be written by its group';
  return undefined;
}

function isForeign(stats: Stats): boolean {
  return stats.uid !== 0 && stats.uid !== process.getuid?.();
}

function isOpenFolder(folder: Stats): boolean {
  return (folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0;
}
