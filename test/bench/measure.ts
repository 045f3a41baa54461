/**
 * Times whole commands, in turn; processor time and peak memory are the kernel's own account. On a machine that does other
 * things as well, processor time tells more than the clock.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Command {
  /** Run without a shell when `args` are given, by `bash -o pipefail -c` otherwise. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Before each run, not timed. */
  readonly prepare?: () => Promise<unknown>;
}

export interface Sample {
  readonly seconds: number;
  /** Of the started process and all that it waited for, not of servers; in steps of 10 ms. */
  readonly cpuSeconds: number;
  /** Peak resident set of the started process (not of its children), in MB of 10^6 bytes. */
  readonly peakMb: number;
}

/** Fails when the command fails: a wrong result is not fast. */
export async function measure({ command, args, env, cwd, prepare }: Command): Promise<Sample> {
  await prepare?.();
  const [program, all] = args ? [command, args] : ['bash', ['-o', 'pipefail', '-c', command]];
  const cpuBefore = childrenCpu();
  const started = process.hrtime.bigint();
  const child = spawn(program, [...all], { cwd, env: { ...usual(), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4000);
  });
  let peakMb = 0;
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid));
  }, 20);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  clearInterval(watch);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (code !== 0) throw new Error(`${command} ${args?.join(' ') ?? ''} exited ${code}: ${stderr}`);
  return { seconds, cpuSeconds: childrenCpu() - cpuBefore, peakMb };
}

/** Without what makes every Node read a bundle of certificates before it does anything (25 ms), which few users have set. */
function usual(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return rest;
}

/** Of the children of this process that have ended, in seconds: cutime and cstime of proc(5), in ticks of 10 ms. */
function childrenCpu(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
}

export interface Comparison {
  readonly name: string;
  readonly ours: Command;
  readonly theirs: Command;
}

export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
  /** Median of ours / theirs, pair by pair. */
  readonly ratio: number;
  readonly spread: readonly [number, number];
  /** Processor seconds, medians: ours and theirs. */
  readonly cpu: readonly [number, number];
  readonly peakMb: number;
}

/** Ours, theirs, ours, theirs …: what slows the machine down meanwhile slows both. One pair beforehand is not counted. */
export async function compare({ name, ours, theirs }: Comparison, rounds: number): Promise<Row> {
  const pairs: [Sample, Sample][] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const pair: [Sample, Sample] = [await measure(ours), await measure(theirs)];
    if (round > 0) pairs.push(pair);
  }
  const ratios = pairs.map(([a, b]) => a.seconds / b.seconds).sort((a, b) => a - b);
  return {
    name,
    ours: median(pairs.map(([a]) => a.seconds)),
    theirs: median(pairs.map(([, b]) => b.seconds)),
    ratio: median(ratios),
    spread: [ratios[0] ?? 0, ratios.at(-1) ?? 0],
    cpu: [median(pairs.map(([a]) => a.cpuSeconds)), median(pairs.map(([, b]) => b.cpuSeconds))],
    peakMb: Math.max(...pairs.map(([a]) => a.peakMb)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const figures = [row.ours, row.theirs].map((seconds) => `${seconds.toFixed(2)} s`.padStart(9)).join('');
    const spread = `(${row.spread.map((each) => each.toFixed(2)).join('–')})`;
    return `${row.name.padEnd(44)}${figures}  ×${row.ratio.toFixed(2)} ${spread.padEnd(13)} ${row.cpu
      .map((each) => each.toFixed(2))
      .join(' / ')
      .padStart(13)} ${row.peakMb.toFixed(0).padStart(4)} MB`;
  });
  return [
    `${'ours against theirs, medians'.padEnd(44)}     ours   theirs  ratio               cpu seconds  peak`,
    ...lines,
  ].join('\n');
}
