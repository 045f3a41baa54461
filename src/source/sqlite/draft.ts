/**
 * Drafts: databases that a restore builds beside its target. The name says who builds it, so that what a killed
 * restore left can be told from what another one is building at this moment.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { removeDatabase } from './database-files.ts';

/** A pid means something only on its machine; a folder may be shared by several. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const pattern = new RegExp(`^(\\.dbbackup-restore-${machine}-(\\d+)-[0-9a-f-]{36}\\.sqlite)`);

/** A path that nobody else uses, in the folder of the target: publishing is a link, which must not leave the disk. */
export function newDraft(folder: string): string {
  return join(folder, `.dbbackup-restore-${machine}-${process.pid}-${randomUUID()}.sqlite`);
}

/** Removes the drafts, and their side files, of this machine's processes that are no more. */
export async function removeAbandonedDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, draft, pid] = pattern.exec(name) ?? [];
    if (draft !== undefined && !isAlive(Number(pid))) await removeDatabase(join(folder, draft));
  }
}

/** A pid that was given to another process in between counts as alive, which only keeps the file. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
