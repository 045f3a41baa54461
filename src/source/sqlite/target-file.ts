import { access, constants, lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { askWorker } from './ask-worker.ts';
import { sideSuffixes } from './database-files.ts';
import { findOpeners } from './find-openers.ts';

export interface TargetFile {
  /** Absolute, links resolved: SQLite looks for the side files there. */
  readonly path: string;
  readonly exists: boolean;
  /** Files beside it that SQLite would take for part of it. */
  readonly leftovers: readonly string[];
  readonly hasData: boolean;
}

/** Looks at a restore target and changes nothing. Throws TARGET_FAILED, TARGET_IN_USE. */
export async function lookAtTarget(wanted: string, signal: AbortSignal): Promise<TargetFile> {
  const path = await realpath(wanted).catch(() => undefined);
  const target = path === undefined ? await newTarget(wanted) : await existingTarget(path, signal);
  const openers = await findOpeners([target.path, ...target.leftovers]);
  if (openers.length > 0) throw targetInUse(wanted, `process ${openers.join(', ')} has it open`);
  return target;
}

export function targetInUse(path: string, why: string, cause?: unknown): DbBackupError {
  return new DbBackupError('TARGET_IN_USE', `${path} is in use: ${why}`, {
    cause,
    retryable: true,
    hint: 'Stop the program that uses it, or restore into a new file.',
  });
}

async function newTarget(path: string): Promise<TargetFile> {
  // A link that leads nowhere is a name that is taken, too.
  if (await lstat(path).catch(() => undefined)) throw unfit(path, 'it is a link that leads nowhere, or unreadable');
  const folder = dirname(path);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw unfit(path, `the folder ${folder} does not exist`);
  await assertWritable(folder);
  const leftovers = await sideFiles(path);
  return { path, exists: false, leftovers, hasData: leftovers.length > 0 };
}

async function existingTarget(path: string, signal: AbortSignal): Promise<TargetFile> {
  const { isFile, bytes } = await stat(path).then((found) => ({ isFile: found.isFile(), bytes: found.size }));
  if (!isFile || (bytes > 0 && (await askWorker({ task: 'look', path }, { signal })).header === undefined)) {
    throw unfit(path, 'it exists and is not a SQLite database');
  }
  await assertWritable(path);
  await assertWritable(dirname(path));
  const leftovers = await sideFiles(path);
  return { path, exists: true, leftovers, hasData: bytes > 0 || leftovers.length > 0 };
}

async function sideFiles(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const suffix of sideSuffixes) {
    if (await lstat(`${path}${suffix}`).catch(() => undefined)) found.push(`${path}${suffix}`);
  }
  return found;
}

async function assertWritable(path: string): Promise<void> {
  await access(path, constants.W_OK).catch((cause: unknown) => {
    throw unfit(path, 'it may not be written to', cause);
  });
}

function unfit(path: string, why: string, cause?: unknown): DbBackupError {
  return new DbBackupError('TARGET_FAILED', `cannot restore into ${path}: ${why}`, {
    cause,
    hint: 'Move it away or name another file in an existing folder.',
  });
}
