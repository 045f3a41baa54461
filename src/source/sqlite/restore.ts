/**
 * Restore into a database file. The new database is built beside the target under a temporary name, checked and
 * fsynced; only then the target is touched.
 * Guarantees: a new target appears whole (by link, never over anything); an existing one changes in one transaction of
 * its own (backup API), so that open journals, side files and a crash in the middle are SQLite's to resolve.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import { consume } from '../../process/process.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { askWorker, SqliteRefusal } from './ask-worker.ts';
import { assertWhole } from './assert-whole.ts';
import { removeDatabase, sync } from './database-files.ts';
import { newDraft, removeAbandonedDrafts } from './draft.ts';
import { endOfDumpCheck } from './end-of-dump-check.ts';
import { sqlFormat } from './format.ts';
import { findSqlite3, sqlite3Arguments } from './sqlite3-program.ts';
import { lookAtTarget, type TargetFile, targetInUse } from './target-file.ts';

/** What link(2) says on file systems without hard links. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export async function restoreSqlite(
  path: string,
  busyTimeoutMs: number,
  request: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const target = await agreedTarget(path, request.clean, context.signal);
  await removeAbandonedDrafts(dirname(target.path));
  const draft = newDraft(dirname(target.path));
  try {
    await build(draft, request, context);
    await assertWhole(draft, `the database restored for ${path}`, context.signal);
    await sync(draft);
    context.signal.throwIfAborted();
    // Building may have taken hours.
    await publish(draft, await agreedTarget(path, request.clean, context.signal), busyTimeoutMs, context);
  } catch (error) {
    context.signal.throwIfAborted();
    throw wrapError(
      error,
      'TARGET_FAILED',
      `restore into ${path} failed; what was there is as it was`,
      wayOut(error, dirname(target.path)),
    );
  } finally {
    await removeDatabase(draft);
  }
  return { label: path, warnings: [] };
}

/** The new database is built beside the target, so it is the folder that must take it. */
function wayOut(error: unknown, folder: string): string | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `The new database is built in ${folder}: free some space there.`;
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `No file can be made in the folder ${folder}: name a place where you may write.`;
    default:
      return undefined;
  }
}

async function agreedTarget(path: string, clean: boolean, signal: AbortSignal): Promise<TargetFile> {
  const target = await lookAtTarget(path, signal);
  if (!target.hasData || clean) return target;
  const what = target.exists ? 'it holds a database' : `beside it is ${target.leftovers.map((file) => basename(file))}`;
  throw new DbBackupError('TARGET_NOT_EMPTY', `cannot restore into ${path}: ${what}`, {
    hint: 'Restore into a new file, or say --clean to replace what is there.',
  });
}

async function build(draft: string, { input, format }: RestoreRequest, context: SourceContext): Promise<void> {
  if (input.kind !== 'file') throw new DbBackupError('UNEXPECTED', 'a SQLite restore needs the whole dump in a file');
  const dump = createReadStream(input.path, { highWaterMark: 256 * 1024 });
  const check = endOfDumpCheck(format);
  if (format.name !== sqlFormat.name) {
    await pipeline(dump, check, createWriteStream(draft, { flags: 'wx', mode: 0o600 }), { signal: context.signal });
    return;
  }
  const command = await findSqlite3(context.signal);
  await (await open(draft, 'wx', 0o600)).close();
  // A failed draft is thrown away, so it needs no journal; `-safe` refuses dot-commands and functions that reach outside.
  const speed = ['-cmd', 'PRAGMA journal_mode = OFF', '-cmd', 'PRAGMA synchronous = OFF'];
  const program = consume({
    command,
    args: ['-safe', '-bail', ...sqlite3Arguments, ...speed, draft],
    largeBuffers: true,
    signal: context.signal,
    idleTimeoutMs: context.idleTimeoutMs,
  });
  try {
    await pipeline(dump, check, program.stdin);
  } catch (error) {
    // The draft is removed next, and nobody may be writing to it then.
    await program.stop();
    throw error;
  }
}

async function publish(
  draft: string,
  target: TargetFile,
  busyTimeoutMs: number,
  context: SourceContext,
): Promise<void> {
  if (target.exists) return overwrite(draft, target.path, busyTimeoutMs, context);
  for (const leftover of target.leftovers) await rm(leftover, { force: true });
  try {
    await link(draft, target.path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!withoutLinks.has(code)) throw error;
    await (await open(target.path, 'wx', 0o600)).close();
    await overwrite(draft, target.path, busyTimeoutMs, context).catch(async (failure: unknown) => {
      await removeDatabase(target.path);
      throw failure;
    });
  }
  await sync(dirname(target.path));
}

async function overwrite(draft: string, to: string, busyTimeoutMs: number, context: SourceContext): Promise<void> {
  try {
    await askWorker({ task: 'overwrite', from: draft, to, busyTimeoutMs }, context);
  } catch (error) {
    if (error instanceof SqliteRefusal && error.busy)
      throw targetInUse(to, 'another program holds a lock on it', error);
    throw error;
  }
}
