/**
 * Secrets kept in files: keys, passphrases, passwords. One rule for all of them.
 * Refuses: a file that others than its owner could read or write, and one that is too large to be a secret.
 */
import type { Stats } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { DbBackupError } from './errors.ts';

/** Bytes; a file of thousands of keys. */
const sizeLimit = 256 * 1024;

/**
 * The text of a secret file, without its last line end. Reads pipes too, as `<(pass show backup)` gives.
 * @throws SECRET_UNAVAILABLE (cannot be read, or is too large), KEY_FILE_UNSAFE (others can reach it).
 */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new DbBackupError('SECRET_UNAVAILABLE', `the secret file ${path} is a folder`);
    const reason = exposure(stats, await realpath(path).catch(() => path), process.getuid?.() ?? 0);
    if (reason !== undefined) throw unsafe(path, stats.mode, reason);
    return (await contentOf(file, path)).replace(/\r?\n$/, '');
  } finally {
    await file.close();
  }
}

/** Read by read, because a pipe tells no size. */
async function contentOf(file: FileHandle, path: string): Promise<string> {
  const content = Buffer.alloc(sizeLimit + 1);
  let length = 0;
  try {
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      ({ bytesRead: read } = await file.read(content, length));
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (length <= sizeLimit) return content.toString('utf8', 0, length);
  throw new DbBackupError('SECRET_UNAVAILABLE', `the secret file ${path} is larger than ${sizeLimit} bytes`);
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

function unreadable(path: string, cause: unknown): DbBackupError {
  return new DbBackupError('SECRET_UNAVAILABLE', `the secret file ${path} cannot be read`, {
    hint: 'Check the path and who owns the file.',
    cause,
  });
}

function unsafe(path: string, mode: number, reason: string): DbBackupError {
  const rights = (mode & 0o777).toString(8).padStart(4, '0');
  return new DbBackupError('KEY_FILE_UNSAFE', `the secret file ${path} ${reason} (mode ${rights})`, {
    hint: `Make it yours alone: chmod 600 '${path}'; and replace the secret if someone may have read it.`,
  });
}
