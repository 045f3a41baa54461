/**
 * Names of what is unfinished: `.dbbackup-<pid>-<ms>-<hash of the final name>-<random>.part`. Hidden, surely ours, and
 * telling who began it, when, and what it was to become.
 */
import { createHash, randomBytes } from 'node:crypto';

const pattern =
  /^\.dbbackup-(?:\d+-(?<startedAt>\d+)-(?<target>[0-9a-f]{16})-[0-9a-f]{12}\.part|(?<claimed>[0-9a-f]{32})\.claim)$/;

/** A new name for a file that is to become `fileName`. */
export function temporaryName(fileName: string, now = Date.now()): string {
  return `.dbbackup-${process.pid}-${now}-${hashOf(fileName).slice(0, 16)}-${randomBytes(6).toString('hex')}.part`;
}

/** The one name under which writers of `fileName` exclude each other where the file system has no links. */
export function claimName(fileName: string): string {
  return `.dbbackup-${hashOf(fileName)}.claim`;
}

export function isTemporaryName(name: string): boolean {
  return pattern.test(name);
}

/** When the writing began, as the name tells it; undefined for a claim. */
export function startedAtOf(name: string): Date | undefined {
  const startedAt = pattern.exec(name)?.groups?.['startedAt'];
  return startedAt === undefined ? undefined : new Date(Number(startedAt));
}

/** True when the temporary or claim `name` stands for the final name `fileName`. */
export function standsFor(name: string, fileName: string): boolean {
  const { target, claimed } = pattern.exec(name)?.groups ?? {};
  const hash = target ?? claimed;
  return hash !== undefined && hashOf(fileName).startsWith(hash);
}

function hashOf(fileName: string): string {
  return createHash('sha256').update(fileName).digest('hex').slice(0, 32);
}
