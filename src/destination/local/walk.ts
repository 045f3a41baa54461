/** Lazy walk over the regular files below a folder. Symbolic links are neither followed nor shown. */
import type { Dir } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './local-error.ts';

export interface FoundFile {
  readonly name: string;
  readonly path: string;
  /** `/`-separated, relative to where the walk began, `base` in front. */
  readonly key: string;
}

/** A folder that does not exist, or is removed while we walk, is empty; every other error is thrown. */
export async function* walk(folder: string, base = '', signal?: AbortSignal): AsyncGenerator<FoundFile> {
  const entries = await openFolder(folder);
  if (entries === undefined) return;
  for await (const entry of entries) {
    signal?.throwIfAborted();
    const path = join(folder, entry.name);
    const key = base + entry.name;
    if (entry.isDirectory()) yield* walk(path, `${key}/`, signal);
    else if (entry.isFile()) yield { name: entry.name, path, key };
  }
}

async function openFolder(folder: string): Promise<Dir | undefined> {
  try {
    return await opendir(folder, { bufferSize: 256 });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
