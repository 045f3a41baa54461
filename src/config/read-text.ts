/** Finds and reads the file, and nothing else. Refuses one that was only found and that others could have written. */
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DbBackupError } from '../errors.ts';
import { findConfig } from './find.ts';
import { assertTrusted } from './trust.ts';

export interface ConfigPlace {
  /** `--config`; without it `DBBACKUP_CONFIG`, then the search. */
  readonly named?: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** @throws CONFIG_NOT_FOUND, CONFIG_UNTRUSTED, CONFIG_INVALID */
export async function readConfigText({
  named,
  cwd,
  env,
}: ConfigPlace): Promise<{ readonly file: string; readonly text: string }> {
  const name = named ?? (env['DBBACKUP_CONFIG'] || undefined);
  const file = name === undefined ? await findConfig(cwd, env) : resolve(cwd, name);
  return { file, text: await readText(file, name !== undefined) };
}

/** Checks and reads through one handle, so that the file checked is the file read. */
async function readText(file: string, isNamed: boolean): Promise<string> {
  if (/\.[cm]?[jt]sx?$/i.test(file)) {
    throw new DbBackupError('CONFIG_INVALID', `the configuration ${file} is a program; only YAML and JSON are read`);
  }
  const handle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'ENOENT' ? 'CONFIG_NOT_FOUND' : 'CONFIG_INVALID';
    const hint = 'Check the path given to --config or DBBACKUP_CONFIG, and that this user may read the file.';
    throw new DbBackupError(code, `the configuration ${file} cannot be opened`, { cause, hint });
  });
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new DbBackupError('CONFIG_INVALID', `the configuration ${file} is a folder`);
    if (!isNamed) await assertTrusted(file, stats);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
