import { type BigIntStats, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import type { OwnPlaces } from '../source.ts';

/** Finds what is dbbackup's own in a folder: by device and inode, and by name where it is made only meanwhile. */
export class Own {
  readonly #root: string;
  readonly #folders: Places;
  readonly #secrets: Places;

  /** `root`: real path of the folder. Throws SOURCE_FAILED when a dump of it as a whole would hold itself. */
  constructor(root: string, { folders, written, secretFiles }: OwnPlaces = nothing) {
    this.#root = root;
    this.#folders = new Places(folders);
    this.#secrets = new Places(secretFiles);
    if (new Places(written).has(root, statSync(root, { bigint: true }))) throw holdsItself(root);
  }

  /** `path`: relative to the root. */
  isFolder(path: Buffer, stat: BigIntStats): boolean {
    return stat.isDirectory() && this.#folders.has(join(this.#root, path.toString('utf8')), stat);
  }

  isSecret(path: Buffer, stat: BigIntStats): boolean {
    return stat.isFile() && this.#secrets.has(join(this.#root, path.toString('utf8')), stat);
  }

  /** Those of the folders that exist and lie in the root, and the root itself. */
  foldersInside(): readonly string[] {
    const isInside = (path: string) => path === this.#root || path.startsWith(`${this.#root}/`);
    return this.#folders.paths.filter((path) => isInside(path) && existsSync(path));
  }
}

const nothing: OwnPlaces = { folders: [], written: [], secretFiles: [] };

class Places {
  /** Real. */
  readonly paths: readonly string[];
  readonly #inodes: ReadonlySet<string>;

  constructor(paths: readonly string[]) {
    this.paths = paths.map(realPath);
    const stats = paths.map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
    this.#inodes = new Set(stats.filter((stat) => stat !== undefined).map(inode));
  }

  has(path: string, stat: BigIntStats): boolean {
    return this.#inodes.has(inode(stat)) || this.paths.includes(path);
  }
}

function inode({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Of what does not exist yet: the real path of the folder that does, and the names behind it. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

function holdsItself(root: string): DbBackupError {
  return new DbBackupError('SOURCE_FAILED', `cannot back up ${root}: dbbackup writes to this folder itself`, {
    hint: 'Each backup would hold all earlier ones. Store them in another folder, or name another one as "path".',
  });
}
