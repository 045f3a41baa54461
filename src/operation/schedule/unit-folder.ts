/** The unit files of systemd's two managers: which are ours, and whether the manager runs. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type UnitFile, type UnitScope, unitMark } from '../../schedule/systemd.ts';

export interface UnitFolder {
  readonly scope: UnitScope;
  /** Absolute; may not exist. */
  readonly path: string;
  /** `systemctl`'s own options. */
  readonly systemctl: readonly string[];
  /** Can systemctl reach the manager (sd_booted(3))? */
  readonly isManaged: boolean;
}

export function unitFolder(scope: UnitScope, env: NodeJS.ProcessEnv): UnitFolder {
  const booted = existsSync('/run/systemd/system');
  if (scope === 'system') return { scope, path: '/etc/systemd/system', systemctl: [], isManaged: booted };
  const xdg = env['XDG_CONFIG_HOME'];
  const base = xdg && isAbsolute(xdg) ? xdg : join(env['HOME'] || homedir(), '.config');
  const runtime = env['XDG_RUNTIME_DIR'];
  const isManaged = booted && runtime !== undefined && existsSync(join(runtime, 'systemd', 'private'));
  return { scope, path: join(base, 'systemd', 'user'), systemctl: ['--user'], isManaged };
}

/** All units that bear our name, with their content. */
export async function readUnits({ path }: UnitFolder): Promise<readonly UnitFile[]> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const ours = names.filter((name) => /^dbbackup-.*\.(service|timer)$/.test(name)).sort();
  return Promise.all(ours.map(async (name) => ({ name, content: await readFile(join(path, name), 'utf8') })));
}

/** Made by us, and for this config. */
export function isOurs({ content }: UnitFile, configFile: string): boolean {
  return content.startsWith(`${unitMark(configFile)}\n`);
}
