/**
 * The folder that a restore builds beside its target, and the old one while it is being replaced. Their names say who
 * made them, so that what a killed restore left is told from what another one is doing, and an old folder that was moved
 * away is brought back when the new one never took its place.
 */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { digest, isAlive, thisMachine } from '../draft-owner.ts';

const pattern = new RegExp(`^\\.dbbackup-(restore|old)-${thisMachine}-([0-9a-f]{8})-(\\d+)-[0-9a-f-]{36}$`);

function nameFor(kind: 'restore' | 'old', target: string): string {
  const name = `.dbbackup-${kind}-${thisMachine}-${digest(basename(target))}-${process.pid}-${randomUUID()}`;
  return join(dirname(target), name);
}

/** A new empty folder that only we can enter, on the target's file system. */
export async function makeDraft(target: string): Promise<string> {
  const draft = nameFor('restore', target);
  await mkdir(draft, { mode: 0o700 });
  return draft;
}

/** A name to move the old folder to. */
export function oldName(target: string): string {
  return nameFor('old', target);
}

/** Clears what restores of this machine that are no more have left for this target. */
export async function clearAbandoned(target: string): Promise<void> {
  const folder = dirname(target);
  for (const name of await readdir(folder).catch(() => [])) {
    const [, kind, of, pid] = pattern.exec(name) ?? [];
    if (of !== digest(basename(target)) || isAlive(Number(pid))) continue;
    const isThere = await lstat(target).catch(() => undefined);
    if (kind === 'old' && isThere === undefined) await rename(join(folder, name), target);
    else await rm(join(folder, name), { recursive: true, force: true });
  }
}
