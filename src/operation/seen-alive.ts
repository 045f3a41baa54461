/**
 * What a history says is running, looked at: the kernel frees the lock of an execution whose process is gone, whatever
 * killed it. Writes nothing down; the next run does (recover-interrupted.ts).
 */
import { hostname } from 'node:os';
import type { Execution, History } from '../history/history.ts';
import { executionLives } from '../lock/run-lock.ts';

/** The same executions as they are now: those of this machine that nobody works on any more are `interrupted`. */
export async function seenAlive(
  executions: readonly Execution[],
  history: History,
  stateFolder: string,
): Promise<readonly Execution[]> {
  const seen: Execution[] = [];
  for (const execution of executions) seen.push(await look(execution, history, stateFolder));
  return seen;
}

async function look(execution: Execution, history: History, stateFolder: string): Promise<Execution> {
  if (!isUnfinished(execution)) return execution;
  if ((await executionLives(stateFolder, execution, hostname())) ?? true) return execution;
  // One that has just ended wrote that down before it freed its lock.
  const now = history.get(execution.id) ?? execution;
  return isUnfinished(now) ? { ...now, status: 'interrupted' } : now;
}

function isUnfinished({ status }: Execution): boolean {
  return status === 'running' || status === 'pending';
}
