import { open, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { Dump, SourceContext } from '../source.ts';
import { askWorker } from './ask-worker.ts';
import { assertWhole } from './assert-whole.ts';
import { removeDatabase } from './database-files.ts';
import { sourceError } from './source-error.ts';
import { lookAtSource } from './source-file.ts';

/** Copies the database into a temporary file, checks the copy, and streams it; the file is gone when the stream closes. */
export async function dumpBinary(path: string, busyTimeoutMs: number, context: SourceContext): Promise<Dump> {
  const { bytes } = await lookAtSource(path, context.signal);
  const folder = await context.temporaryFolder();
  await assertSpace(folder, bytes);
  context.log('info', `the copy of ${basename(path)} needs a temporary file of about ${bytes} bytes in ${folder}`);
  const copy = join(folder, 'copy.sqlite');
  try {
    await askWorker({ task: 'copy', from: path, to: copy, busyTimeoutMs }, context);
    const { tables, properties } = await assertWhole(copy, `the copy of ${path}`, context.signal);
    const { stream, totalBytes } = await openUnlinked(copy, context.signal);
    return { stream, totalBytes, contents: async () => [{ name: basename(path), tables, properties }] };
  } catch (error) {
    await removeDatabase(copy);
    throw sourceError(path, error);
  }
}

/** The name goes at once, so that not even a killed process leaves the data behind. */
async function openUnlinked(path: string, signal: AbortSignal): Promise<{ stream: Readable; totalBytes: number }> {
  const file = await open(path, 'r');
  await removeDatabase(path);
  const { size } = await file.stat();
  const stream = file.createReadStream({ highWaterMark: 256 * 1024 });
  return { stream: addAbortSignal(signal, stream), totalBytes: size };
}

async function assertSpace(folder: string, needed: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder);
  // Some file systems do not say.
  if (blocks === 0 || bavail * bsize >= needed) return;
  throw new DbBackupError('DISK_FULL', `${folder} has ${bavail * bsize} bytes left; the copy needs about ${needed}`, {
    hint: 'Free some space, move the state folder, or use "format: sql", which needs no temporary file.',
  });
}
