/** From what lies on a destination to what the retention policy judges. */
import type { ProtectionRule, Reason, RetentionCandidate } from '../../retention/retention.ts';
import { formatArtifactName } from '../../sidecar/artifact-name.ts';
import { isDisproved, isSuspect, type StoredBackup, startedAt } from '../storage/stored-backup.ts';

export interface Candidate extends RetentionCandidate {
  readonly stored: StoredBackup;
}

/** Retention and its deletions touch nothing else: objects in the job's own folder that bear exactly its names. */
export function bearsNameOf(job: string, { name, key }: StoredBackup): boolean {
  return name?.job === job && key === `${job}/${formatArtifactName(name)}`;
}

/** Of the source that a backup is of, or was adopted into. */
export function fingerprintOf({ sidecar, state }: StoredBackup): string | undefined {
  return state?.adopted?.fingerprint ?? sidecar?.source.fingerprint;
}

export function areOfSeveralSources(backups: readonly StoredBackup[]): boolean {
  return new Set(backups.map(fingerprintOf)).size > 1;
}

export function isOwn(backup: StoredBackup, fingerprint: string): boolean {
  return fingerprintOf(backup) === fingerprint;
}

/** Orphans, missing data and cut deletions are no candidates. */
export function toCandidates(backups: readonly StoredBackup[], fingerprint: string): readonly Candidate[] {
  return backups
    .filter(({ condition }) => ['complete', 'damaged', 'unreadable'].includes(condition))
    .map((stored) => ({
      stored,
      key: stored.key,
      startedAt: stored.name?.startedAt ?? startedAt(stored),
      protectedBy: protections(stored, fingerprint),
      verified: stored.state?.verifications.at(-1)?.result === 'passed',
    }));
}

function protections(stored: StoredBackup, fingerprint: string): readonly Reason<ProtectionRule>[] {
  const { condition, problem, sidecar, state } = stored;
  const reasons: [ProtectionRule, boolean, string | undefined][] = [
    ['unreadable', condition === 'unreadable', problem],
    ['damaged', condition === 'damaged', problem],
    ['damaged', sidecar !== undefined && !namesAgree(stored), 'its sidecar tells another story than its name'],
    ['damaged', isDisproved(stored), 'its last verification failed'],
    ['foreign', sidecar !== undefined && !isOwn(stored, fingerprint), foreignText(stored)],
    ['suspect', condition === 'complete' && isSuspect(stored), `suspect: ${state?.suspect?.reason}`],
    ['locked', state?.locked !== undefined, `locked: ${state?.locked?.reason ?? 'no reason given'}`],
  ];
  return reasons.filter(([, applies]) => applies).map(([rule, , text]) => ({ rule, text: text ?? rule }));
}

/** The time decides what is deleted, so an edited or exchanged sidecar must not set it (F35). */
function namesAgree({ name, sidecar }: StoredBackup): boolean {
  if (!name || !sidecar) return false;
  const sameTime = Date.parse(sidecar.startedAt) === name.startedAt.getTime();
  return sameTime && sidecar.job.name === name.job && sidecar.id.startsWith(name.id6);
}

function foreignText({ sidecar }: StoredBackup): string {
  return `of another source: ${sidecar?.source.label ?? sidecar?.source.name} on ${sidecar?.host}`;
}
