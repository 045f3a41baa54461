import type { Stats } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { DbBackupError } from '../errors.ts';

/**
 * A secret kept in a file, without its last line end.
 * @throws SECRET_UNAVAILABLE when it cannot be read or others can.
 */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const handle = await open(path);
    try {
      const reason = exposure(await handle.stat(), await realpath(path), process.getuid?.() ?? 0);
      if (reason !== undefined) {
        throw new DbBackupError('SECRET_UNAVAILABLE', `the secret file ${path} ${reason}`, {
          hint: `Make it yours alone: chmod 600 ${path}`,
        });
      }
      return (await handle.readFile('utf8')).replace(/\r?\n$/, '');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof DbBackupError) throw cause;
    throw new DbBackupError('SECRET_UNAVAILABLE', `the secret file ${path} cannot be read`, { cause });
  }
}

/**
 * Who else can reach a secret file. Never may everyone read it, nor anyone else write it. As with ssh's private keys,
 * a group may read only a file of another owner (root:backup 0640). Under /run/secrets, where container engines put
 * their secrets for all to read (0444) inside one container, reading is not judged.
 */
export function exposure(stats: Stats, path: string, uid: number): string | undefined {
  if (stats.mode & 0o022) return 'may be written by others';
  if (path.startsWith('/run/secrets/') && stats.uid === 0) return undefined;
  if (stats.mode & 0o004) return 'can be read by everyone';
  if (stats.mode & 0o040 && stats.uid === uid) return 'can be read by its group';
  return undefined;
}
