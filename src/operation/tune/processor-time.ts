/**
 * What work costs the processors of this machine, whoever does it: our threads, the dump tool, a database server beside
 * us. Only the whole machine's account knows all of them, so what went on before is measured first and taken off.
 */
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const idleMs = 250;

export interface ProcessorClock {
  /** Processors that others leave to us, at least one half. */
  readonly free: number;
  /** Begins to measure; the function returned tells the processor seconds spent since. */
  start(): () => number;
}

/** Looks for a moment at what the machine does without us. */
export async function openProcessorClock(signal: AbortSignal): Promise<ProcessorClock> {
  const all = availableParallelism();
  const [busyBefore, before] = [busySeconds(), performance.now()];
  await delay(idleMs, undefined, { signal });
  const others = Math.max(0, (busySeconds() - busyBefore) / secondsSince(before));
  return {
    free: Math.max(0.5, all - others),
    start() {
      const [busy, from] = [busySeconds(), performance.now()];
      return () => {
        const wall = secondsSince(from);
        return Math.min(all * wall, Math.max(0, busySeconds() - busy - others * wall));
      };
    },
  };
}

function secondsSince(from: number): number {
  return (performance.now() - from) / 1000;
}

function busySeconds(): number {
  const busy = cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq);
  return busy.reduce((sum, each) => sum + each, 0) / 1000;
}
