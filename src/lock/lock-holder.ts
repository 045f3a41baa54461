/** Who holds a lock, for people to read; the lock itself is the kernel's and does not depend on this file. */
import { readFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { redact } from '../redact.ts';

const holderSchema = z.object({
  executionId: z.string(),
  host: z.string(),
  pid: z.number(),
  command: z.string(),
  since: z.iso.datetime(),
  /** Boot id of the kernel that keeps the lock: containers of one machine have names of their own, and share it. */
  kernel: z.string().optional(),
});

/** The holder, and since when (ISO 8601). */
export type HeldBy = Readonly<z.infer<typeof holderSchema>>;

/** `command` is shown to people (`dbbackup run shop`). */
export type LockHolder = Omit<HeldBy, 'since' | 'kernel'>;

/** Undefined where the system has none (https://docs.kernel.org/admin-guide/sysctl/kernel.html#random). */
export const thisKernel = readBootId();

function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** Call it only while holding the lock. */
export async function writeHolder(file: string, holder: LockHolder): Promise<void> {
  const heldBy: HeldBy = {
    ...holder,
    command: redact(holder.command),
    since: new Date().toISOString(),
    kernel: thisKernel,
  };
  const temporary = `${file}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(heldBy)}\n`, { mode: 0o600 });
    await rename(temporary, file);
  } catch {
    // A full disk must not stop a backup for want of a courtesy; but a dead holder's name must not stay.
    await Promise.allSettled([rm(temporary, { force: true }), rm(file, { force: true })]);
  }
}

/** Undefined when nobody has written it (yet), or it cannot be read. */
export async function readHolder(file: string): Promise<HeldBy | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

export async function removeHolder(file: string): Promise<void> {
  // A holder that was killed may have left its draft.
  for (const each of [`${file}.tmp`, file]) await rm(each, { force: true });
}

/** `execution 4f9c01ab (pid 123 on db1) since 2026-11-20 03:00:00 UTC` */
export function describeHolder(heldBy: HeldBy | undefined): string {
  if (heldBy === undefined) return 'another run';
  const since = `${heldBy.since.slice(0, 19).replace('T', ' ')} UTC`;
  return `execution ${heldBy.executionId.slice(0, 8)} (pid ${heldBy.pid} on ${heldBy.host}) since ${since}`;
}
