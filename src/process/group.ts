import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Time between SIGTERM and SIGKILL, and the longest wait for a killed group to be gone, in ms. */
export const graceMs = 2_000;
const firstPollMs = 5;
const longestPollMs = 100;

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
  const deadline = performance.now() + graceMs;
  for (let pollMs = firstPollMs; performance.now() < deadline; pollMs = Math.min(2 * pollMs, longestPollMs)) {
    if (!signalGroup(pid, 0) || hasOnlyZombies(pid)) return true;
    await delay(pollMs);
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

/**
 * In a container whose first process reaps nobody (it may be us), the dead stay in their group for ever.
 * Source: proc(5), /proc/pid/stat.
 */
function hasOnlyZombies(group: number): boolean {
  if (process.platform !== 'linux') return false;
  const states = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter((stat) => stat.group === group)
    .map((stat) => stat.state);
  return states.length > 0 && states.every((state) => state === 'Z' || state === 'X');
}

function readStat(pid: string): { state: string | undefined; group: number } {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before it stands in parentheses and may hold anything.
    const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, group: Number(group) };
  } catch {
    return { state: undefined, group: 0 };
  }
}
