/**
 * Drafts of state files that a killed process left beside backups which are gone: nothing records their names, so who
 * removes a backup looks for them. Only afterwards: of a backup that stays, a draft may be a `lock` being written.
 */
import { folderOf } from '../../destination/key.ts';
import { explain } from '../../errors.ts';
import { stateExtension } from '../../sidecar/state.ts';
import type { Execution } from '../execution.ts';
import type { OpenDestination, StoredBackup } from './stored-backup.ts';

/** `gone`: of one destination. What cannot be removed is a warning, and left to `dbbackup cleanup`. */
export async function removeDrafts(gone: readonly StoredBackup[], execution: Execution): Promise<void> {
  const [first] = gone;
  if (first === undefined) return;
  const folders = new Set(gone.map(({ key }) => folderOf(key)));
  try {
    for (const folder of folders) await removeFrom(first.on, folder, gone, execution.signal);
  } catch (error) {
    execution.signal.throwIfAborted();
    execution.log(
      'warning',
      `what an interrupted deletion left beside backups could not be removed: ${explain(error)}`,
    );
  }
}

async function removeFrom(
  { destination }: OpenDestination,
  folder: string,
  gone: readonly StoredBackup[],
  signal: AbortSignal,
): Promise<void> {
  for await (const leftover of destination.leftovers(folder)) {
    signal.throwIfAborted();
    if (gone.some(({ key }) => leftover.belongsTo(key + stateExtension))) await leftover.remove();
  }
}
