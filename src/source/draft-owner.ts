/** Who builds a draft beside a target: written into its name, so that what a killed restore left can be told and cleared. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** Eight hex digits of a text's sha256. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** A pid means something only on its machine; a folder may be shared by several. */
export const thisMachine = digest(hostname());

/** A pid that was given to another process in between counts as alive, which only keeps the draft. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
