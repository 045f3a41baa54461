/**
 * The HTML report as a file. Guarantees: 0600, whole or not there, and what it replaces was a report of ours, unless
 * the user says that he means it. A cron entry may so write the same file every night.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DbBackupError, messageOf } from '../../errors.ts';

/** How every page of ours begins, so that it is known again. */
export const pageMark = '<!doctype html>\n<!-- dbbackup report -->\n';

/**
 * @param given absolute path
 * @param consent asked before anything that is no report of ours is replaced; throws CONSENT_REQUIRED
 * @throws TARGET_FAILED, DISK_FULL
 */
export async function writePage(
  given: string,
  page: string,
  consent: (question: string) => Promise<void>,
): Promise<void> {
  // Through a link, so that it goes on pointing at the report.
  const path = await realpath(given).catch(() => given);
  if (await isForeign(path)) await consent(`${path} is there and no report of dbbackup. Overwrite it?`);
  const temporary = join(dirname(path), `.dbbackup-${process.pid}-${randomUUID().slice(0, 8)}.part`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(page);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(error, path);
  }
}

/** Throws TARGET_FAILED for what no consent can overwrite: folders, pipes, devices. */
async function isForeign(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return false;
  if (!stats.isFile()) {
    const inside = stats.isDirectory() ? `a file in it, such as ${join(path, 'report.html')}` : 'a file';
    throw new DbBackupError('TARGET_FAILED', `${path} is no file`, { hint: `Name ${inside}, or - for stdout.` });
  }
  return (await beginning(path)) !== pageMark;
}

async function beginning(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw writeError(error, path);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(pageMark.length));
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function writeError(error: unknown, path: string): DbBackupError {
  const { code } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const missing = existsSync(dirname(path)) ? undefined : `There is no folder ${dirname(path)}.`;
  return new DbBackupError(
    full ? 'DISK_FULL' : 'TARGET_FAILED',
    `the report ${basename(path)} could not be written: ${messageOf(error)}`,
    { cause: error, hint: full ? 'Free some space.' : missing },
  );
}
