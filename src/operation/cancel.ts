/**
 * `cancel`: asks one execution to stop, whoever runs it and however many others share its process. The wish is a file
 * in the state folder that the execution looks for; a dead execution is told from a deaf one by its lock.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError } from '../errors.ts';
import type { Execution } from '../history/history.ts';
import { executionLives } from '../lock/run-lock.ts';

const lookEveryMs = 500;

/** A signal that is aborted when somebody cancels the execution. */
export function watchForCancel(
  stateFolder: string,
  executionId: string,
): { signal: AbortSignal; close(): Promise<void> } {
  const wish = wishFile(stateFolder, executionId);
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (existsSync(wish)) controller.abort(new DbBackupError('INTERRUPTED', 'cancelled by dbbackup cancel'));
  }, lookEveryMs);
  return {
    signal: controller.signal,
    async close() {
      clearInterval(timer);
      await rm(wish, { force: true });
    },
  };
}

/** Resolves when the execution has ended, of the wish or by itself. Throws USAGE when it does not run here, TIMEOUT when it does not stop. */
export async function cancelExecution(
  execution: Execution,
  place: { readonly stateFolder: string; readonly host: string; readonly signal: AbortSignal },
  patienceMs: number,
): Promise<void> {
  const { stateFolder, host, signal } = place;
  const lives = async () => (await executionLives(stateFolder, execution, host)) ?? false;
  if (!(await lives())) {
    throw new DbBackupError('USAGE', `execution ${execution.id.slice(0, 8)} does not run on this machine`, {
      hint: 'dbbackup status shows what runs.',
    });
  }
  const wish = wishFile(stateFolder, execution.id);
  await mkdir(join(stateFolder, 'cancel'), { recursive: true, mode: 0o700 });
  await writeFile(wish, '', { mode: 0o600 });
  for (const until = Date.now() + patienceMs; await lives(); await delay(100, undefined, { signal })) {
    if (Date.now() < until) continue;
    throw new DbBackupError('TIMEOUT', `execution ${execution.id.slice(0, 8)} has been asked to stop and has not yet`, {
      hint: `It cleans up after itself; if it hangs: kill ${execution.pid}`,
    });
  }
  await rm(wish, { force: true });
}

function wishFile(stateFolder: string, executionId: string): string {
  return join(stateFolder, 'cancel', executionId);
}
