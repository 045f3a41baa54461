import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { DbBackupError } from '../errors.ts';
import { packageFile } from '../installation.ts';
import type { Launch } from '../schedule/launch.ts';
import { stateFolder } from '../state-folder.ts';
import { typedWord } from '../value/typed-word.ts';
import type { App } from './app.ts';
import type { Output } from './output.ts';

/** This very program, with the tools that are found now, for a scheduler to start. */
export async function thisLaunch(
  config: Config,
  app: App,
  output: Output,
  environmentFile: string | undefined,
): Promise<Launch> {
  const folders = (app.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return {
    program: [process.execPath, packageFile('bin/dbbackup.js')],
    configFile: config.file,
    stateFolder: stateFolder({ env: app.env, configured: config.stateFolder }),
    path: [...new Set([dirname(process.execPath), ...folders])].join(delimiter),
    home: app.env['HOME'] || homedir(),
    environmentFile: environmentFile && (await privateFile(resolve(app.workingFolder, environmentFile), output)),
  };
}

async function privateFile(path: string, output: Output): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new DbBackupError('USAGE', `--env-file ${path} cannot be read`, { cause });
  });
  if ((await stat(path)).mode & 0o077)
    output.warn(`others than you can reach ${path}, which holds secrets: chmod 600 ${typedWord(path)}`);
  // sh and systemd read such files differently; of these lines they make the same.
  const plain = /^\s*(#.*)?$|^[A-Za-z_]\w*=([\w@%+=:,./-]*|'[^']*')$/;
  const odd = text.split('\n').findIndex((line) => !plain.test(line));
  if (odd < 0) return path;
  throw new DbBackupError('USAGE', `--env-file ${path}, line ${odd + 1}, is not NAME=value`, {
    hint: "Put a value of more than letters, digits and @%+=:,./- into single quotes: NAME='value'.",
  });
}
