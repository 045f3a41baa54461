/** Names of what is unfinished. Hidden, surely ours, and telling who began it and when: `.dbbackup-<pid>-<ms>-<random>.part`. */
import { createHash, randomBytes } from 'node:crypto';

const pattern = /^\.dbbackup-(?:\d+-(?<startedAt>\d+)-[0-9a-f]{12}\.part|[0-9a-f]{32}\.claim)$/;

/** A new name for a file being written. */
export function temporaryName(now = Date.now()): string {
  return `.dbbackup-${process.pid}-${now}-${randomBytes(6).toString('hex')}.part`;
}

/** The one name under which writers of `fileName` exclude each other where the file system has no links. */
export function claimName(fileName: string): string {
  return `.dbbackup-${createHash('sha256').update(fileName).digest('hex').slice(0, 32)}.claim`;
}

export function isTemporaryName(name: string): boolean {
  return pattern.test(name);
}

/** When the writing began, as the name tells it; undefined for a claim. */
export function startedAtOf(name: string): Date | undefined {
  const startedAt = pattern.exec(name)?.groups?.['startedAt'];
  return startedAt === undefined ? undefined : new Date(Number(startedAt));
}
