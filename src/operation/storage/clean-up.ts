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

export async function cleanUp(
  destinations: readonly OpenDestination[],
  options: CleanUpOptions,
  runtime: Runtime,
): Promise<{ readonly executionId: string; readonly removed: readonly Removal[] }> {
  const subject = destinations.map((each) => each.name).join(', ');
  return withExecution({ kind: 'cleanup', subject }, runtime, async (execution) => {
    execution.step('cleanup');
    const removed: Removal[] = [];
    const before = Date.now() - options.olderThanMs;
    for (const on of destinations) {
      removed.push(...(await clearLeftovers(on, before, options.dryRun)));
      removed.push(...(await clearBackups(on, before, options, runtime, execution.signal)));
    }
    for (const each of removed)
      execution.log('info', `${options.dryRun ? 'would remove' : 'removed'} ${each.kind} ${each.object}`);
    return { value: { executionId: execution.id, removed }, report: {} };
  });
}

async function clearLeftovers(on: OpenDestination, before: number, dryRun: boolean): Promise<Removal[]> {
  const removed: Removal[] = [];
  for await (const leftover of on.destination.leftovers()) {
    if (leftover.startedAt.getTime() > before) continue;
    if (!dryRun) await leftover.remove();
    removed.push({ kind: 'temporary', object: `${on.name}:${leftover.key}`, bytes: leftover.bytes });
  }
  return removed;
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
