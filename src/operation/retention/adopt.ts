import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import { updateState } from '../storage/update-state.ts';
import { isOwn } from './candidate.ts';
import type { PruneOptions } from './prune.ts';

interface Adoption {
  /** All of them, the adopted ones with their new state. */
  readonly backups: readonly StoredBackup[];
  readonly adopted: readonly StoredBackup[];
}

/** Backups of other sources under this job's name become its own: a note in their state file. Asks first. */
export async function adopt(
  backups: readonly StoredBackup[],
  work: { options: PruneOptions; fingerprint: string; execution: Execution; runtime: Runtime },
): Promise<Adoption> {
  const { options, fingerprint, execution, runtime } = work;
  const foreign = backups.filter((each) => each.condition === 'complete' && !isOwn(each, fingerprint));
  if (foreign.length === 0) return { backups, adopted: [] };
  const sources = new Set(foreign.map(({ sidecar }) => `${sidecar?.source.label} on ${sidecar?.host}`));
  if (!options.dryRun) await runtime.consent(`Adopt ${foreign.length} backups of ${[...sources].join(', ')}?`);
  const adopted = new Map<StoredBackup, StoredBackup>();
  for (const backup of foreign) {
    const note = { adopted: { at: new Date().toISOString(), fingerprint } };
    const state = options.dryRun
      ? { version: '1.0', verifications: [], ...backup.state, ...note }
      : await updateState(backup, () => note, { stateFolder: runtime.stateFolder, signal: execution.signal });
    adopted.set(backup, { ...backup, state });
    if (!options.dryRun) execution.log('info', `adopted ${describeBackup(backup)}`);
  }
  return { backups: backups.map((each) => adopted.get(each) ?? each), adopted: [...adopted.values()] };
}
