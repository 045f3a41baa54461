/**
 * F09: a backup out of proportion is published, because it may be all there is, and marked suspect where it lies: it is
 * not `latest`, counts for no retention, and keeps this run from pruning. What is usual is read from the destination,
 * like everything that is true; `accept` says that the change was meant, and what is usual starts anew from there.
 */
import type { AnomalyLimits } from '../../config/config.ts';
import { explain, messageOf } from '../../errors.ts';
import type { Sidecar } from '../../sidecar/sidecar.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { findBackup, surveyBackups } from '../storage/list-backups.ts';
import { isGood, type OpenDestination, type StoredBackup, startedAt } from '../storage/stored-backup.ts';
import { updateState } from '../storage/update-state.ts';
import { fewest, judge } from './judge.ts';

/** So many of the newest make what is usual. */
const recent = 10;

export interface Judgement {
  /** Why the backup is suspect. */
  readonly suspect?: string;
  /** False when it could not be compared: it may be suspect, so it must push no other out. */
  readonly compared: boolean;
}

/**
 * Judges the backup just published under `key`, and marks it where it is suspect. Trouble with comparing or marking is
 * told, and never costs the backup.
 * @param published the destinations that hold it, which are asked for the earlier ones
 */
export async function guardAgainstAnomaly(
  sidecar: Sidecar,
  key: string,
  published: readonly OpenDestination[],
  limits: AnomalyLimits,
  execution: Execution,
  { stateFolder }: Runtime,
): Promise<Judgement> {
  const [first] = published;
  if (!first) return { compared: false };
  try {
    const earlier = await findEarlier(sidecar, published, execution);
    const reason = judge(sidecar, earlier, limits);
    if (reason === undefined) return { compared: true };
    execution.trouble(`suspect: ${reason}`);
    for (const on of published) await markSuspect(on, key, reason, stateFolder, execution);
    return { suspect: reason, compared: true };
  } catch (error) {
    // The backup is whole and stays; whoever interrupted hears that, not a warning.
    execution.signal.throwIfAborted();
    execution.trouble(`it could not be compared with earlier backups, so none is pruned: ${explain(error)}`);
    return { compared: false };
  }
}

/** At the first destination that has enough of them: where retention keeps two, the guard would never say a word. */
async function findEarlier(
  sidecar: Sidecar,
  published: readonly OpenDestination[],
  execution: Execution,
): Promise<readonly Sidecar[]> {
  let most: readonly Sidecar[] = [];
  for (const on of published) {
    const stored = await surveyBackups(on, `${sidecar.job.name}/`, execution.signal);
    if (on === published[0] && isFirstOfSource(sidecar, stored)) {
      const warning = 'the source has changed since the last good backup: there is nothing to compare this one with';
      execution.log('warning', warning);
    }
    const { earlier, isAccepted } = comparable(sidecar, stored);
    if (earlier.length > most.length) most = earlier;
    if (most.length >= fewest || isAccepted) break;
  }
  return most;
}

/** The newest good ones of the same source, made the same way, from the newest accepted one on. */
function comparable(
  sidecar: Sidecar,
  stored: readonly StoredBackup[],
): { readonly earlier: readonly Sidecar[]; readonly isAccepted: boolean } {
  const alike = stored.filter((each) => isGood(each) && isAlike(sidecar, each.sidecar));
  alike.sort((a, b) => startedAt(b).getTime() - startedAt(a).getTime());
  const accepted = alike.findIndex((each) => each.state?.accepted !== undefined);
  const counted = accepted === -1 ? alike : alike.slice(0, accepted + 1);
  return { earlier: counted.slice(0, recent).flatMap((each) => each.sidecar ?? []), isAccepted: accepted !== -1 };
}

/** Of a source that is not that of any good backup before it; those after it are compared with one another. */
export function isFirstOfSource(sidecar: Sidecar, stored: readonly StoredBackup[]): boolean {
  const before = stored.filter((each) => isGood(each) && each.sidecar !== undefined && each.sidecar.id !== sidecar.id);
  const { fingerprint } = sidecar.source;
  return before.length > 0 && before.every((each) => each.sidecar?.source.fingerprint !== fingerprint);
}

function isAlike(sidecar: Sidecar, other: Sidecar | undefined): boolean {
  return (
    other !== undefined &&
    other.id !== sidecar.id &&
    other.source.fingerprint === sidecar.source.fingerprint &&
    other.backupType === sidecar.backupType &&
    other.artifact.format === sidecar.artifact.format &&
    JSON.stringify(other.filter) === JSON.stringify(sidecar.filter)
  );
}

async function markSuspect(
  on: OpenDestination,
  key: string,
  reason: string,
  stateFolder: string,
  execution: Execution,
): Promise<void> {
  try {
    const backup = await findBackup(on, key, execution.signal);
    await updateState(backup, () => ({ suspect: { reason } }), { stateFolder, signal: execution.signal });
  } catch (error) {
    execution.trouble(`${on.name}: the backup could not be marked suspect: ${messageOf(error)}`);
  }
}
