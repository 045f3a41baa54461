/** What a backup of this file needs: the file, the rights around it, room for the copy, the program for text dumps. */
import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Finding, fail, failure, info, ok, warn } from '../../finding.ts';
import { formatBytes } from '../../value/figure.ts';
import type { CheckContext } from '../source.ts';
import { sqlFormat } from './format.ts';
import { lookAtSource } from './source-file.ts';
import { findSqlite3 } from './sqlite3-program.ts';

export async function* checkSqlite(path: string, context: CheckContext): AsyncGenerator<Finding> {
  const wantsText = context.formats.includes(sqlFormat.name);
  yield await checkProgram(wantsText, context.signal);
  const { bytes, journalMode, sqliteVersion } = await lookAtSource(path, context.signal);
  yield ok(`${path} is a SQLite database of ${formatBytes(bytes)}, read by SQLite ${sqliteVersion}`);
  if (journalMode === 'wal') yield await checkWalFolder(path);
  if (context.formats.some((format) => format !== sqlFormat.name)) yield await checkRoom(bytes, context);
}

async function checkProgram(isWanted: boolean, signal: AbortSignal): Promise<Finding> {
  try {
    return ok(`${await findSqlite3(signal)} is there for "format: sql"`);
  } catch (error) {
    signal.throwIfAborted();
    return isWanted ? failure(error) : info('the program sqlite3, which "format: sql" would need, is not there');
  }
}

/** A reader, too, has to make the -shm file. */
async function checkWalFolder(path: string): Promise<Finding> {
  try {
    await access(dirname(path), constants.W_OK);
    return ok('it is in WAL mode, and this user may write to its folder, as every reader must');
  } catch {
    return fail(
      `it is in WAL mode, and this user may not write to ${dirname(path)}, as every reader must (for the -shm file)`,
      'Run dbbackup as the user of the application, or as a member of a group that may write to the folder.',
    );
  }
}

async function checkRoom(bytes: number, context: CheckContext): Promise<Finding> {
  const folder = await context.temporaryFolder();
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  if (blocks === 0) return info(`the copy needs ${formatBytes(bytes)} in ${folder}, whose room is unknown`);
  const room = `${formatBytes(bytes)} for the copy, ${formatBytes(free)} free in ${folder}`;
  const wayOut = 'Free some space, set state.dir to another disk, or use "format: sql", which needs no copy.';
  if (free < bytes) return fail(`no room: ${room}`, wayOut);
  return free < bytes * 1.5 ? warn(`little room: ${room}`, wayOut) : ok(room);
}
