/** Lazy walk over the regular files below a folder of the server. Symbolic links are neither followed nor shown. */
import type { FileEntry, Stats } from 'ssh2';
import { haveFolders, placeOf, under } from './place.ts';
import type { Session } from './session.ts';
import { isMissing } from './sftp-error.ts';

export interface FoundFile {
  readonly name: string;
  readonly path: string;
  /** `/`-separated, relative to the root. */
  readonly key: string;
  readonly attributes: Stats;
}

/** `base`: '' or a key with a slash behind. A folder that does not exist, or is removed while we walk, is empty. */
export async function* walk(
  session: Session,
  root: string,
  base: string,
  signal?: AbortSignal,
): AsyncGenerator<FoundFile> {
  signal?.throwIfAborted();
  for (const { filename, attrs } of await readFolder(session, root, base, signal)) {
    signal?.throwIfAborted();
    const attributes = attrs as Stats;
    const key = base + filename;
    if (isKind(attributes, 0o040000)) yield* walk(session, root, `${key}/`, signal);
    else if (isKind(attributes, 0o100000)) yield { name: filename, path: under(root, key), key, attributes };
  }
}

/** File type bits of stat(2). */
function isKind({ mode }: Stats, type: number): boolean {
  return (mode & 0o170000) === type;
}

async function readFolder(session: Session, root: string, base: string, signal?: AbortSignal): Promise<FileEntry[]> {
  const { folders } = placeOf(root, `${base}any`);
  return session.use(
    async (connection) => {
      if (!(await haveFolders(connection, folders))) return [];
      try {
        return await connection.call<FileEntry[]>((sftp, done) => sftp.readdir(folders.at(-1) ?? root, done));
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    { signal },
  );
}
