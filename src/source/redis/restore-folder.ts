import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import { isAlive, thisMachine } from '../draft-owner.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { RdbCheck } from './rdb-check.ts';
import { lookAtFolder, type TargetFolder } from './target-folder.ts';

const draftPattern = new RegExp(`^\\.dbbackup-restore-${thisMachine}-(\\d+)-[0-9a-f-]{36}\\.rdb$`);
/** What link(2) says on file systems without hard links. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** The file that a stopped server will load: whole and on the disk before it gets its name. */
export async function restoreIntoFolder(
  wanted: string,
  request: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const target = await agreedTarget(wanted, request.clean);
  const { path } = target;
  await removeAbandonedDrafts(dirname(path));
  const draft = join(dirname(path), `.dbbackup-restore-${thisMachine}-${process.pid}-${randomUUID()}.rdb`);
  try {
    await write(draft, target, request, context);
    context.signal.throwIfAborted();
    // Writing may have taken hours.
    await publish(draft, await agreedTarget(wanted, request.clean));
  } catch (error) {
    context.signal.throwIfAborted();
    // What went wrong before us has its own name.
    if (error instanceof DbBackupError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw wrapError(error, 'TARGET_FAILED', `restore into ${path} failed; what was there is as it was`);
  } finally {
    await rm(draft, { force: true });
  }
  return { label: path, warnings: [startHint] };
}

const startHint =
  'Start the server now. With "appendonly yes" in its configuration it would not load this file: start it once with "--appendonly no", then CONFIG SET appendonly yes.';

async function agreedTarget(wanted: string, clean: boolean): Promise<TargetFolder> {
  const target = await lookAtFolder(wanted);
  if (!target.exists || clean) return target;
  throw new DbBackupError('TARGET_NOT_EMPTY', `cannot restore into ${wanted}: there is a ${target.path}`, {
    hint: 'Restore into another folder, or say --clean to replace the file.',
  });
}

async function write(
  draft: string,
  target: TargetFolder,
  { input }: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const { path, uid, gid, mode } = target;
  const file = await open(draft, 'wx', 0o600);
  try {
    await give(file, uid, gid, path);
    await file.chmod(mode);
    const bytes = input.kind === 'stream' ? input.stream : createReadStream(input.path, { highWaterMark: 1024 * 1024 });
    const writing = file.createWriteStream({ flush: true, highWaterMark: 1024 * 1024 });
    await pipeline(bytes, new RdbCheck(), writing, { signal: context.signal });
  } finally {
    await file.close();
  }
}

/** The server must be able to read it. */
async function give(file: FileHandle, uid: number, gid: number, path: string): Promise<void> {
  const now = await file.stat();
  if (now.uid === uid && now.gid === gid) return;
  await file.chown(uid, gid).catch((cause: unknown) => {
    // A group that we are not in is no harm where the owner is right.
    if (now.uid === uid) return;
    throw new DbBackupError('TARGET_FAILED', `${path} cannot be given to the owner of its folder (uid ${uid})`, {
      cause,
      hint: 'Run as root, or as the user of the server.',
    });
  });
}

async function publish(draft: string, { path, exists }: TargetFolder): Promise<void> {
  if (exists) await rename(draft, path);
  else {
    await link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      if (!withoutLinks.has(error.code ?? '')) throw error;
      await rename(draft, path);
    });
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What restores of this machine that are no more have left. */
async function removeAbandonedDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = draftPattern.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}
