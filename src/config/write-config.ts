/** Writes configs: a new one never over an existing file, a changed one in place of the old at once, or not at all. */
import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { DbBackupError, messageOf } from '../errors.ts';

/** What file systems say that have no hard links. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** A new file, 0600. @throws USAGE where there is one already, or none can be made. */
export async function createConfig(file: string, text: string): Promise<void> {
  const draft = await writeDraft(file, text, 0o600);
  try {
    // Unlike `rename` it never replaces what came meanwhile.
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (!withoutLinks.has(error.code ?? '')) throw error;
      return copyFile(draft, file, constants.COPYFILE_EXCL);
    });
  } catch (cause) {
    throw cannotWrite(file, cause);
  } finally {
    await unlink(draft);
  }
}

/**
 * Replaces `before`, the text that was read, keeping mode and owner; through a symbolic link, which stays.
 * @throws BUSY where the file has changed meanwhile, USAGE where it cannot be written; then nothing is changed.
 */
export async function replaceConfig(path: string, before: string, after: string): Promise<void> {
  const file = await realpath(path);
  const { mode, uid, gid } = await stat(file);
  const draft = await writeDraft(file, after, mode & 0o7777, { uid, gid });
  try {
    if ((await readFile(file, 'utf8')) !== before) {
      throw new DbBackupError('BUSY', `${path} was changed by someone else meanwhile`, {
        hint: 'Nothing was written. Begin again: it will be read anew.',
      });
    }
    await rename(draft, file);
  } catch (cause) {
    await unlink(draft);
    throw cause instanceof DbBackupError ? cause : cannotWrite(path, cause);
  }
}

/** Beside the file, since only there one name can take the place of another. On disk when this returns. */
async function writeDraft(
  file: string,
  text: string,
  mode: number,
  owner?: { uid: number; gid: number },
): Promise<string> {
  const draft = `${file}.${randomBytes(4).toString('hex')}.new`;
  const handle = await open(draft, 'wx', 0o600).catch((cause: unknown) => {
    throw cannotWrite(file, cause);
  });
  try {
    if (owner !== undefined && owner.uid !== process.getuid?.()) await handle.chown(owner.uid, owner.gid);
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
    return draft;
  } catch (cause) {
    await unlink(draft);
    throw cannotWrite(file, cause);
  } finally {
    await handle.close();
  }
}

function cannotWrite(file: string, cause: unknown): DbBackupError {
  const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
  if (cause instanceof DbBackupError) return cause;
  return new DbBackupError('USAGE', `${file} ${exists ? 'exists' : `cannot be written: ${messageOf(cause)}`}`, {
    cause,
    hint: exists
      ? 'It is left as it is. dbbackup job add adds to it.'
      : 'Nothing was changed. Check the folder, and that this user may write there.',
  });
}
