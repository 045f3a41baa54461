import { access, constants, lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DbBackupError } from '../../errors.ts';

export interface TargetFolder {
  /** Absolute, links resolved. */
  readonly folder: string;
  /** Of the file that a server loads when it starts. */
  readonly path: string;
  readonly exists: boolean;
  /** The owner and the mode that the file gets. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const usualName = 'dump.rdb';
/** Servers that keep their data so, by the names of their processes. */
const servers = /^(redis|valkey|keydb)-/;

/** Looks at the data folder, changes nothing. Throws TARGET_FAILED, TARGET_IN_USE. */
export async function lookAtFolder(wanted: string): Promise<TargetFolder> {
  const { folder, path } = await namesOf(wanted);
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw unfit(folder, 'it may not be written to', 'Run as root, or as the user of the server.', cause);
  });
  const hiding = await appendOnlyFiles(folder);
  if (hiding !== undefined) {
    throw unfit(
      folder,
      `a server would load ${hiding} instead`,
      'Move it away if what is in it is no longer wanted, and start the server with "appendonly no".',
    );
  }
  const server = await serverIn(folder);
  if (server !== undefined) {
    throw new DbBackupError('TARGET_IN_USE', `the server ${server} works in ${folder}`, {
      hint: 'Stop it first: it would write its own data over the restored. Or restore into it: --to redis://…',
      retryable: true,
    });
  }
  const [of, old] = [await stat(folder), await stat(path).catch(() => undefined)];
  if (old !== undefined && !old.isFile()) throw unfit(path, 'it is no file', 'Move it away.');
  const { uid, gid } = old ?? of;
  return { folder, path, exists: old !== undefined, uid, gid, mode: old === undefined ? 0o600 : old.mode & 0o777 };
}

async function namesOf(wanted: string): Promise<{ folder: string; path: string }> {
  const isFolder = await stat(wanted).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder && !wanted.endsWith('.rdb')) {
    throw unfit(
      wanted,
      'there is no such folder',
      'Name the "dir" of the server\'s configuration, or the .rdb file in it.',
    );
  }
  const outer = isFolder ? wanted : dirname(wanted);
  const folder = await realpath(outer).catch((cause: unknown) => {
    throw unfit(outer, 'there is no such folder', 'Make it first, with the user of the server as its owner.', cause);
  });
  const named = join(folder, isFolder ? usualName : basename(wanted));
  const link = await lstat(named).catch(() => undefined);
  // What a link leads to is replaced, and not the link.
  return { folder, path: link?.isSymbolicLink() ? await realpath(named).catch(() => named) : named };
}

/** `appendonly.aof` of servers before 7.0; folders with a manifest since. */
async function appendOnlyFiles(folder: string): Promise<string | undefined> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith('.aof')) return path;
    if (!entry.isDirectory()) continue;
    const inside = await readdir(path).catch(() => []);
    if (inside.some((name) => name.includes('.aof'))) return path;
  }
  return undefined;
}

/** Such a server has its data folder as its working folder. Linux, and as far as /proc shows: root sees all. */
async function serverIn(folder: string): Promise<string | undefined> {
  const wanted = await stat(folder);
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const at = await stat(`/proc/${pid}/cwd/`).catch(() => undefined);
    if (at?.ino !== wanted.ino || at.dev !== wanted.dev) continue;
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
    if (servers.test(name)) return `${name} (process ${pid})`;
  }
  return undefined;
}

function unfit(place: string, why: string, hint: string, cause?: unknown): DbBackupError {
  return new DbBackupError('TARGET_FAILED', `cannot restore into ${place}: ${why}`, { hint, cause });
}
