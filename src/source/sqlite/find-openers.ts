import { readdir, readFile, stat } from 'node:fs/promises';

/**
 * Who has one of these files open, as `pid (name)`. An idle SQLite connection in rollback mode holds no lock, so this
 * is the only trace of it. Linux, and as far as /proc shows: root sees all, others their own processes.
 */
export async function findOpeners(paths: readonly string[]): Promise<readonly string[]> {
  const wanted = new Set<string>();
  for (const path of paths) {
    const identity = await identityOf(path);
    if (identity !== undefined) wanted.add(identity);
  }
  const openers: string[] = [];
  for (const pid of await list('/proc')) {
    if (/^\d+$/.test(pid) && (await holds(pid, wanted))) openers.push(`${pid} (${await nameOf(pid)})`);
  }
  return openers;
}

async function holds(pid: string, wanted: ReadonlySet<string>): Promise<boolean> {
  for (const descriptor of await list(`/proc/${pid}/fd`)) {
    const identity = await identityOf(`/proc/${pid}/fd/${descriptor}`);
    if (identity !== undefined && wanted.has(identity)) return true;
  }
  return false;
}

/** Processes come and go, and others' are closed to us. */
async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() ? `${found.dev}:${found.ino}` : undefined;
}

async function nameOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown')).trim();
}
