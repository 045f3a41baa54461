/**
 * Restore into a folder. The new one is built beside the target while the backup is read, and takes its place only when
 * the last byte has been verified and all of it is on the disk; the old one is moved away first and removed last.
 */
import { createReadStream } from 'node:fs';
import { lstat, open, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, messageOf, wrapError } from '../../errors.ts';
import { capture } from '../../process/process.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { clearAbandoned, makeDraft, oldName } from './draft.ts';
import { Extractor } from './extract.ts';
import type { FilesOptions } from './options.ts';
import { lookAtTarget, type TargetFolder } from './target-folder.ts';

export async function restoreFiles(
  path: string,
  options: FilesOptions,
  request: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  await clearAbandoned(await realpath(path).catch(() => path));
  const { path: finalPath } = await agreedTarget(path, request.clean, context);
  const draft = await makeDraft(finalPath);
  try {
    const warnings = await build(draft, finalPath, options, request, context);
    await flush(draft, context.signal);
    context.signal.throwIfAborted();
    // Building may have taken hours.
    const target = await agreedTarget(path, request.clean, context);
    return { label: path, warnings: [...warnings, ...(await swap(draft, target, options, request, context))] };
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch((cause: unknown) => {
      context.log('warning', `the unfinished folder ${draft} could not be removed: ${messageOf(cause)}`);
    });
    context.signal.throwIfAborted();
    // What went wrong before us has its own name.
    if (error instanceof DbBackupError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw wrapError(error, 'TARGET_FAILED', `restore into ${path} failed; what was there is as it was`);
  }
}

async function agreedTarget(path: string, clean: boolean, { own }: SourceContext): Promise<TargetFolder> {
  const target = await lookAtTarget(path, own);
  if (!target.hasData || clean) return target;
  throw new DbBackupError('TARGET_NOT_EMPTY', `cannot restore into ${path}: the folder is not empty`, {
    hint: 'Restore into a new folder, or say --clean to replace the whole folder.',
  });
}

async function build(
  draft: string,
  finalPath: string,
  { outsideLinks = false, setuid = false }: FilesOptions,
  { input }: RestoreRequest,
  { signal }: SourceContext,
): Promise<readonly string[]> {
  const bytes = input.kind === 'stream' ? input.stream : createReadStream(input.path, { highWaterMark: 256 * 1024 });
  const extractor = new Extractor(draft, { outsideLinks, setuid, finalPath });
  await pipeline(bytes, extractor, { signal });
  return extractor.warnings();
}

/** One call for the whole file system is cheaper than one for each of a million files. */
async function flush(draft: string, signal: AbortSignal): Promise<void> {
  // Without an argument where `sync` takes none (macOS).
  await capture({ command: 'sync', args: ['-f', draft], signal }).catch(() =>
    capture({ command: 'sync', args: [], signal }),
  );
}

async function swap(
  draft: string,
  { path, exists, hasData }: TargetFolder,
  options: FilesOptions,
  { restoreId }: RestoreRequest,
  context: SourceContext,
): Promise<readonly string[]> {
  if (!hasData) {
    if (exists) await rmdir(path);
    await rename(draft, path);
    await syncFolder(dirname(path));
    return [];
  }
  // What the source leaves out is in no backup, and was not meant to be lost.
  const keeps = options.include !== undefined || options.exclude !== undefined;
  const old = keeps ? await freeName(`${path}.before-${restoreId}`) : oldName(path);
  await rename(path, old);
  try {
    await rename(draft, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await syncFolder(dirname(path));
  if (keeps) return [`the folder as it was is now ${old}: it may hold what "include" and "exclude" leave out`];
  await rm(old, { recursive: true, force: true }).catch((error: unknown) => {
    context.log('warning', `the old folder could not be removed from ${old}: ${messageOf(error)}`);
  });
  return [];
}

async function freeName(wanted: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if ((await lstat(name).catch(() => undefined)) === undefined) return name;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
