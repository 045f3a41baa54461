/**
 * Drafts: databases that a restore builds beside its target. The name says who builds it, so that what a killed
 * restore left can be told from what another one is building at this moment.
 */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, thisMachine } from '../draft-owner.ts';
import { removeDatabase } from './database-files.ts';

const pattern = new RegExp(`^(\\.dbbackup-restore-${thisMachine}-(\\d+)-[0-9a-f-]{36}\\.sqlite)`);

/** A path that nobody else uses, in the folder of the target: publishing is a link, which must not leave the disk. */
export function newDraft(folder: string): string {
  return join(folder, `.dbbackup-restore-${thisMachine}-${process.pid}-${randomUUID()}.sqlite`);
}

/** Removes the drafts, and their side files, of this machine's processes that are no more. */
export async function removeAbandonedDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, draft, pid] = pattern.exec(name) ?? [];
    if (draft !== undefined && !isAlive(Number(pid))) await removeDatabase(join(folder, draft));
  }
}
