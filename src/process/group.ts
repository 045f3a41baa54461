import { setTimeout as delay } from 'node:timers/promises';

/** Time between SIGTERM and SIGKILL, and the longest wait for a killed group to be gone, in ms. */
export const graceMs = 2_000;
const pollMs = 10;

/** Leaders of the groups that live now. Our own end must not leave them behind. */
const liveGroups = new Set<number>();
let watching = false;

/** Notes a group so that it is killed when our process exits. */
export function registerGroup(pid: number): void {
  liveGroups.add(pid);
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const group of liveGroups) signalGroup(group, 'SIGKILL');
  });
}

export function forgetGroup(pid: number): void {
  liveGroups.delete(pid);
}

/**
 * Ends every process of the group: `first`, and SIGKILL after the grace. Resolves when the group is gone, or when it
 * could not be ended (a process of another user, or one stuck in the kernel); never rejects.
 */
export async function endGroup(pid: number, first: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  signalGroup(pid, first);
  if (await goneInTime(pid)) return;
  signalGroup(pid, 'SIGKILL');
  await goneInTime(pid);
}

async function goneInTime(pid: number): Promise<boolean> {
  for (const deadline = performance.now() + graceMs; performance.now() < deadline; await delay(pollMs)) {
    if (!signalGroup(pid, 0)) return true;
  }
  return false;
}

/** False when there is no such group any more. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
