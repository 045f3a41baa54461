/**
 * After a kill -9 or a power cut: executions of this machine whose process is gone become `interrupted`, and what they
 * left is removed. Guarantees: only exact names that the history recorded for a dead execution are touched, and a data
 * object only when it has no sidecar.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterDefinition } from '../config/config.ts';
import { explain } from '../errors.ts';
import type { DestinationResult, Execution as PastExecution } from '../history/history.ts';
import { executionLockName, probeRunLock } from '../lock/run-lock.ts';
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
  const dead = await runtime.markInterrupted((execution) => execution.host !== runtime.host || alive(execution.id));
  for (const execution of dead) {
    for (const result of execution.destinations.filter((each) => each.status === 'running')) {
      await clearDestination(result, execution, definitions, runtime).catch((error) => {
        troubles.push(`${result.name}: what an interrupted run left there could not be removed: ${explain(error)}`);
      });
    }
  }
  await removeDeadFolders(runtime.stateFolder, alive);
  return troubles;
}

async function clearDestination(
  result: DestinationResult,
  execution: PastExecution,
  definitions: readonly AdapterDefinition[],
  runtime: Runtime,
): Promise<void> {
  const definition = definitions.find((each) => each.name === result.name);
  if (!definition || result.key === undefined) return;
  const on = await openDestination(definition, runtime);
  await removeUnfinished(on, result.key);
  runtime.history.log(execution.id, 'info', `interrupted; ${result.name} was cleared of ${result.key}`);
}

async function removeUnfinished(on: OpenDestination, key: string): Promise<void> {
  for await (const leftover of on.destination.leftovers()) {
    if (leftover.belongsTo(key) || leftover.belongsTo(key + sidecarExtension)) await leftover.remove();
  }
  if ((await on.destination.stat(key + sidecarExtension)) === undefined) await on.destination.delete(key);
}

/** Also those whose history was lost: a folder is named for its execution, and the lock tells whether that lives. */
async function removeDeadFolders(stateFolder: string, alive: (id: string) => Promise<boolean>): Promise<void> {
  const root = join(stateFolder, 'tmp');
  for (const id of await readdir(root).catch(() => [])) {
    if (!(await alive(id))) await rm(join(root, id), { recursive: true, force: true });
  }
}
