/** The end of a wizard: everything is written now, or nothing stays. */
import { mkdir, open, rmdir, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createConfig, replaceConfig } from '../../config/write-config.ts';
import { DbBackupError, messageOf } from '../../errors.ts';
import type { SecretFile } from './keep-secrets.ts';

export interface Plan {
  /** Of the config; absolute. */
  readonly file: string;
  /** What it held; undefined where it is new. */
  readonly before: string | undefined;
  readonly after: string;
  readonly secrets: readonly SecretFile[];
  /** A new secret key. */
  readonly key?: { readonly path: string; write(file: string): Promise<void> };
}

/** The config comes last: it refers to the others. @throws USAGE, BUSY; then what was written is gone again. */
export async function writePlan({ file, before, after, secrets, key }: Plan): Promise<void> {
  const folder = dirname(file);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    for (const { path, value } of secrets) undo.push(...(await writeSecret(resolve(folder, path), value)));
    if (key !== undefined) {
      const path = resolve(folder, key.path);
      await key.write(path);
      undo.push(() => unlink(path));
    }
    if (before === undefined) await createConfig(file, after);
    else await replaceConfig(file, before, after);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

/** 0600, in a folder of 0700, never over another. Returns how to take it back. */
async function writeSecret(path: string, value: string): Promise<(() => Promise<unknown>)[]> {
  const folder = dirname(path);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    if (await makeFolder(folder)) undo.push(() => rmdir(folder));
    const handle = await open(path, 'wx', 0o600);
    undo.push(() => unlink(path));
    try {
      await handle.writeFile(`${value}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return undo;
  } catch (cause) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw new DbBackupError('USAGE', `the secret file ${path} cannot be made: ${messageOf(cause)}`, {
      cause,
      hint: 'Nothing was written. Move the old file away, or give the config another folder.',
    });
  }
}

async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
