import { type BigIntStats, lstatSync } from 'node:fs';
import { DbBackupError } from '../../errors.ts';
import type { Notes } from './notes.ts';
import { OpenFolder } from './open-folder.ts';
import type { Own } from './own.ts';
import type { Selection } from './selection.ts';

/** One thing in the folder. `at` is usable only until the next one is asked for. */
export interface Found {
  /** Relative to the folder. */
  readonly path: Buffer;
  readonly at: Buffer;
  readonly stat: BigIntStats;
}

const slash = Buffer.from('/');

/** Everything that is selected and not our own, folders before what is in them, without following a link. */
export async function* walk(root: OpenFolder, how: Walk): AsyncGenerator<Found> {
  yield* walkFolder(root, undefined, how);
}

export interface Walk {
  readonly selection: Selection;
  readonly own: Own;
  readonly notes: Notes;
  readonly signal: AbortSignal;
}

async function* walkFolder(folder: OpenFolder, path: Buffer | undefined, how: Walk): AsyncGenerator<Found> {
  for (const name of await folder.names()) {
    how.signal.throwIfAborted();
    const inside = path === undefined ? name : Buffer.concat([path, slash, name]);
    const found = await unlessVanished(inside, how.notes, async () => {
      const at = folder.at(name);
      return { path: inside, at, stat: lstatSync(at, { bigint: true }) };
    });
    if (found === undefined || how.selection.excludes(inside, found.stat.isDirectory())) continue;
    if (how.own.isFolder(inside, found.stat)) leaveOut(inside, how.notes);
    else if (found.stat.isDirectory()) yield* walkInto(found, how);
    else if (how.selection.includes(inside, false)) yield noteSecret(found, how);
  }
}

function leaveOut(path: Buffer, notes: Notes): void {
  notes.add('own', path, `${path} is a folder of dbbackup itself (backups or its state); it is not in the backup`);
}

function noteSecret(found: Found, { own, notes }: Walk): Found {
  const line = `${found.path} holds a key or secret of the config, and this job stores it unencrypted`;
  if (own.isSecret(found.path, found.stat)) notes.add('secret', found.path, line);
  return found;
}

/** A folder that only leads to what is included comes when the first of that does. */
async function* walkInto(found: Found, how: Walk): AsyncGenerator<Found> {
  const folder = await unlessVanished(found.path, how.notes, () => OpenFolder.open(found.at));
  if (folder === undefined) return;
  try {
    let pending = !how.selection.includes(found.path, true);
    if (!pending) yield found;
    for await (const each of walkFolder(folder, found.path, how)) {
      if (pending) yield found;
      pending = false;
      yield each;
    }
  } finally {
    await folder.close();
  }
}

/** Names come and go while a folder is read, and a folder may become a file. */
export async function unlessVanished<Value>(
  path: Buffer,
  notes: Notes,
  work: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) throw unreadable(path, error, code);
    notes.add('vanished', path, `${path} vanished while the folder was read; it is not in the backup`);
    return undefined;
  }
}

/** The system names the descriptor that it was reached through; people know it by its path. */
function unreadable(path: Buffer, cause: unknown, code: string): DbBackupError {
  const denied = code === 'EACCES' || code === 'EPERM';
  return new DbBackupError('SOURCE_FAILED', `${path} cannot be read (${code})`, {
    cause,
    hint: denied ? 'Run as a user who may read it, or leave it out with "exclude".' : undefined,
  });
}
