import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * The absolute path of a program: looked up on PATH, then in `extraFolders` (`/usr/lib/postgresql/15/bin`, …).
 * A name with a slash is only checked. Starts nothing; undefined when there is no such executable file.
 */
export async function findProgram(name: string, extraFolders: readonly string[] = []): Promise<string | undefined> {
  if (name.includes('/')) return (await isExecutable(name)) ? name : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, ...extraFolders]) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
