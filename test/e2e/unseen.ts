import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { expectCode, type Run, type Workplace } from './cli.ts';

/** Command lines of this machine that hold a text: of both sides of a prefix. */
export async function commandLinesWith(text: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eww', '-o', 'stat=,args=']);
  return stdout.split('\n').filter((line) => line.includes(text) && !line.startsWith('Z'));
}

/** Runs a command to its good end; all the while no command line shows the secret, and no output does afterwards. */
export async function runUnseen(place: Workplace, secret: string, ...args: string[]): Promise<Run> {
  const { ended } = place.start(args);
  for (let over = false; !over; ) {
    expect(await commandLinesWith(secret)).toEqual([]);
    over = await Promise.race([ended.then(() => true), delay(20, false)]);
  }
  const run = expectCode(await ended, 0);
  expect(run.stdout + run.stderr).not.toContain(secret);
  return run;
}
