/** SIGKILL at a random moment of a run, and the wait until nothing of it lives. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { processesOf } from './aftermath.ts';
import type { Campaign } from './campaign.ts';
import type { Workplace } from './cli.ts';

/**
 * Kills the program, or all that belong to it, and waits until the rest have seen it. The exit code; null when it was
 * killed in time. `lastsMs`: how long the command takes when it is left alone.
 */
export async function runAndKill(
  place: Workplace,
  campaign: Campaign,
  args: readonly string[],
  lastsMs: number,
): Promise<number | null> {
  const { child, ended } = place.start(args);
  await delay(campaign.random() * lastsMs * 1.1);
  const pids = campaign.random() < 0.5 ? processesOf(place) : [];
  child.kill('SIGKILL');
  for (const pid of pids) killIfThere(pid);
  const { code } = await ended;
  await vi.waitFor(() => expect(processesOf(place)).toEqual([]), { timeout: 30_000, interval: 20 });
  return code;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}
