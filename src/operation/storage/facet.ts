/** By what stored backups are counted and chosen. */
import { encryptionByExtension } from '../../crypto/encryption.ts';
import { fingerprintsOf } from './fingerprints.ts';
import { isGood, isSuspect, type StoredBackup, startedAt } from './stored-backup.ts';

export type Facet = 'job' | 'type' | 'destination' | 'encryption' | 'state';

/**
 * The first two groups are a backup's condition: `good` and `suspect` are complete. The others say what is noted
 * beside it; several may hold.
 */
export const states = [
  ...['good', 'suspect'],
  ...['orphan', 'missing', 'damaged', 'unreadable', 'deleting'],
  ...['locked', 'verified', 'unverified', 'failed'],
] as const;
const incompleteStates = new Set(['orphan', 'missing', 'damaged', 'unreadable', 'deleting']);

/** The values of a backup, facet by facet; only `state` may have several. */
export const facets: Readonly<Record<Facet, (backup: StoredBackup) => readonly string[]>> = {
  job: (backup) => [jobOf(backup)],
  type: (backup) => [backup.sidecar?.source.type ?? '?'],
  destination: (backup) => [backup.on.name],
  encryption: (backup) => [encryptionOf(backup)],
  state: statesOf,
};

export interface ListFilter {
  /** Each list is "one of these"; all that are given must hold. */
  readonly jobs?: readonly string[];
  /** Source types. */
  readonly types?: readonly string[];
  /** `none`, a type, the name of a profile, or the beginning of a key's fingerprint. */
  readonly encryption?: readonly string[];
  readonly states?: readonly string[];
  /** Started at or after. */
  readonly since?: Date;
  /** Started before. */
  readonly until?: Date;
  /** A part of the note, in any case. */
  readonly note?: string;
}

export function matches(backup: StoredBackup, filter: ListFilter): boolean {
  const started = startedAt(backup);
  return (
    isOneOf(filter.jobs, [jobOf(backup)]) &&
    isOneOf(filter.types, facets.type(backup)) &&
    isOneOf(filter.states, statesOf(backup)) &&
    (filter.encryption?.some((wanted) => isEncryptedBy(backup, wanted)) ?? true) &&
    (filter.since === undefined || started >= filter.since) &&
    (filter.until === undefined || started < filter.until) &&
    (filter.note === undefined || hasNote(backup, filter.note))
  );
}

/** Who asks for damaged ones wants to see them. */
export function needsIncomplete({ states: wanted }: ListFilter): boolean {
  return wanted?.some((state) => incompleteStates.has(state)) ?? false;
}

export function jobOf(backup: StoredBackup): string {
  return backup.sidecar?.job.name ?? backup.name?.job ?? '?';
}

/** Without a sidecar the name tells it; `?` where that is none of ours. */
function encryptionOf({ sidecar, name }: StoredBackup): string {
  if (sidecar) return sidecar.encryption?.type ?? 'none';
  if (!name) return '?';
  return encryptionByExtension[name.extensions.slice(name.extensions.lastIndexOf('.'))] ?? 'none';
}

function statesOf(backup: StoredBackup): readonly string[] {
  const { condition, state } = backup;
  const locked = state?.locked ? ['locked'] : [];
  if (condition !== 'complete') return [condition, ...locked];
  const result = state?.verifications.at(-1)?.result;
  const verified = result === undefined ? 'unverified' : result === 'passed' ? 'verified' : 'failed';
  const good = isGood(backup) ? ['good'] : [];
  return [...(isSuspect(backup) ? ['suspect'] : good), ...locked, verified];
}

function isOneOf(wanted: readonly string[] | undefined, values: readonly string[]): boolean {
  return wanted === undefined || values.some((value) => wanted.includes(value));
}

function isEncryptedBy(backup: StoredBackup, wanted: string): boolean {
  const encryption = backup.sidecar?.encryption;
  if (wanted === encryptionOf(backup) || (encryption && wanted === encryption.profile)) return true;
  return (
    wanted.length >= 6 && encryption !== undefined && fingerprintsOf(encryption).some((id) => id.startsWith(wanted))
  );
}

function hasNote({ sidecar }: StoredBackup, part: string): boolean {
  return sidecar?.note?.toLowerCase().includes(part.toLowerCase()) ?? false;
}
