import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the scripted program; its environment variables are explained at its top. */
export const scriptedDump = fileURLToPath(new URL('./scripted-dump.js', import.meta.url));

/** Puts the scripted program under `name` into `folder` and returns a PATH that finds it there first. */
export async function fakeProgram(folder: string, name: string): Promise<string> {
  await symlink(scriptedDump, join(folder, name));
  return `${folder}:${process.env['PATH']}`;
}

/** True while the process runs; a zombie that nobody has reaped yet is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
