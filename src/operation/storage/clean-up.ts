/**
 * Clears what unfinished work left behind: temporary names and open uploads that are surely ours, and deletions that
 * were cut. An orphan may be a good backup whose sidecar was lost, so only an explicit wish removes it.
 */
import { withExecution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { removeObjects } from './delete-backup.ts';
import { listBackups } from './list-backups.ts';
import { describeBackup, type OpenDestination, type StoredBackup, startedAt } from './stored-backup.ts';

export interface CleanUpOptions {
  /** Younger ones may belong to a run that still lives, perhaps on another machine. */
  readonly olderThanMs: number;
  readonly orphans: boolean;
  readonly dryRun: boolean;
}

export interface Removal {
  readonly kind: 'temporary' | 'deletion' | 'orphan';
  /** `destination:key`. */
  readonly object: string;
  readonly bytes?: number;
}

export interface CleanedUp {
  readonly executionId: string;
  readonly removed: readonly Removal[];
  /** How many unfinished files and uploads were left alone, being younger than asked. */
  readonly younger: number;
}

export async function cleanUp(
  destinations: readonly OpenDestination[],
  options: CleanUpOptions,
  runtime: Runtime,
): Promise<CleanedUp> {
  const subject = destinations.map((each) => each.name).join(', ');
  return withExecution({ kind: 'cleanup', subject }, runtime, async (execution) => {
    execution.step('cleanup');
    const removed: Removal[] = [];
    let younger = 0;
    const before = Date.now() - options.olderThanMs;
    for (const on of destinations) {
      const leftovers = await clearLeftovers(on, before, options.dryRun);
      removed.push(...leftovers.removed);
      younger += leftovers.younger;
      removed.push(...(await clearBackups(on, before, options, runtime, execution.signal)));
    }
    for (const each of removed)
      execution.log('info', `${options.dryRun ? 'would remove' : 'removed'} ${each.kind} ${each.object}`);
    return { value: { executionId: execution.id, removed, younger }, report: {} };
  });
}

async function clearLeftovers(
  on: OpenDestination,
  before: number,
  dryRun: boolean,
): Promise<Pick<CleanedUp, 'removed' | 'younger'>> {
  const removed: Removal[] = [];
  let younger = 0;
  for await (const leftover of on.destination.leftovers()) {
    if (leftover.startedAt.getTime() > before) {
      younger += 1;
      continue;
    }
    if (!dryRun) await leftover.remove();
    removed.push({ kind: 'temporary', object: `${on.name}:${leftover.key}`, bytes: leftover.bytes });
  }
  return { removed, younger };
}

async function clearBackups(
  on: OpenDestination,
  before: number,
  options: CleanUpOptions,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Removal[]> {
  const removed: Removal[] = [];
  for (const backup of await listBackups(on, '', signal)) {
    const kind = removable(backup, before, options);
    if (!kind) continue;
    if (!options.dryRun) {
      if (kind === 'orphan') await runtime.consent(`Remove ${describeBackup(backup)}, which has no sidecar?`);
      await removeObjects(backup, runtime.stateFolder, signal);
    }
    removed.push({ kind, object: describeBackup(backup), bytes: backup.object?.size });
  }
  return removed;
}

function removable(
  backup: StoredBackup,
  before: number,
  { orphans }: CleanUpOptions,
): 'deletion' | 'orphan' | undefined {
  if (backup.condition === 'deleting') return 'deletion';
  const old = startedAt(backup).getTime() <= before;
  return backup.condition === 'orphan' && orphans && old ? 'orphan' : undefined;
}
