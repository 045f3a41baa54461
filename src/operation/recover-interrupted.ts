/**
 * After a kill -9 or a power cut: executions of this machine whose process is gone become `interrupted`, and what they
 * left is removed. Guarantees: a recovery that is itself cut is taken up by the next run; only exact names that the
 * history recorded for a dead execution are touched, and a data object only when it has no sidecar.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterDefinition } from '../config/config.ts';
import { folderOf } from '../destination/key.ts';
import { explain } from '../errors.ts';
import type { DestinationResult, Execution as PastExecution } from '../history/history.ts';
import { clearDeadExecutions, executionLives, executionLockName, probeRunLock } from '../lock/run-lock.ts';
import { sidecarExtension } from '../sidecar/sidecar.ts';
import { openDestination } from './open-adapter.ts';
import type { Runtime } from './runtime.ts';
import type { OpenDestination } from './storage/stored-backup.ts';

/** Trouble is returned as messages: recovery must not keep the next run from running. */
export async function recoverInterrupted(
  definitions: readonly AdapterDefinition[],
  runtime: Runtime,
): Promise<readonly string[]> {
  const troubles: string[] = [];
  const alive = (id: string) => probeRunLock(runtime.stateFolder, executionLockName(id));
  // What another machine may still do is left to it.
  const dead = await runtime.interrupted(async (execution) => {
    return (await executionLives(runtime.stateFolder, execution, runtime.host)) ?? true;
  });
  for (const execution of dead) {
    for (const result of execution.destinations.filter((each) => each.status === 'running')) {
      await settle(result, execution, definitions, runtime).catch((error) => {
        troubles.push(`${result.name}: what an interrupted run left there could not be removed: ${explain(error)}`);
      });
    }
  }
  try {
    await removeDeadFolders(runtime.stateFolder, alive);
    await clearDeadExecutions(runtime.stateFolder);
  } catch (error) {
    troubles.push(`what an interrupted run left in ${runtime.stateFolder} could not be removed: ${explain(error)}`);
  }
  return troubles;
}

/** A destination that this run does not use stays as it is, for the next run that does. */
async function settle(
  result: DestinationResult,
  execution: PastExecution,
  definitions: readonly AdapterDefinition[],
  runtime: Runtime,
): Promise<void> {
  const definition = definitions.find((each) => each.name === result.name);
  if (!definition || result.key === undefined) return;
  const on = await openDestination(definition, runtime);
  const isBackup = await removeUnfinished(on, result.key);
  await runtime.settle(execution, { ...result, status: isBackup ? 'completed' : 'cancelled' });
}

/** True when the execution died after its sidecar was written: then its data object is a backup, and stays. */
async function removeUnfinished(on: OpenDestination, key: string): Promise<boolean> {
  for await (const leftover of on.destination.leftovers(folderOf(key))) {
    if (leftover.belongsTo(key) || leftover.belongsTo(key + sidecarExtension)) await leftover.remove();
  }
  const isBackup = (await on.destination.stat(key + sidecarExtension)) !== undefined;
  if (!isBackup) await on.destination.delete(key);
  return isBackup;
}

/** Also those whose history was lost: a folder is named for its execution, and the lock tells whether that lives. */
async function removeDeadFolders(stateFolder: string, alive: (id: string) => Promise<boolean>): Promise<void> {
  const root = join(stateFolder, 'tmp');
  for (const id of await readdir(root).catch(() => [])) {
    if (!(await alive(id))) await rm(join(root, id), { recursive: true, force: true });
  }
}
