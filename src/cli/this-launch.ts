import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { DbBackupError } from '../errors.ts';
import { packageFile } from '../installation.ts';
import type { Launch } from '../schedule/launch.ts';
import { stateFolder } from '../state-folder.ts';
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
  const stats = await stat(path).catch((cause) => {
    throw new DbBackupError('USAGE', `--env-file ${path} cannot be read`, { cause });
  });
  if (stats.mode & 0o077) output.warn(`others than you can reach ${path}, which holds secrets: chmod 600 '${path}'`);
  return path;
}
