/**
 * `mkdir -p` with mode 0700. Not Node's own recursive one, which tries for ever, at full load and deaf to signals, where
 * the parent exists and the kernel still answers ENOENT (/proc, some FUSE mounts; seen with Node 20.20).
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Returns the topmost folder that was made, undefined when all were there. Throws what mkdir(2) says. */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await makeOne(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const first = await makeFolder(dirname(path));
  const made = await makeOne(path);
  return first ?? made;
}

async function makeOne(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    // What is there already is refused with EEXIST, EROFS or EISDIR, as the system likes.
    if ((await stat(path).catch(() => undefined))?.isDirectory()) return undefined;
    throw error;
  }
}
