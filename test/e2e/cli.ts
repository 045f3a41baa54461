/** Runs the built program as a user's shell would: its own folder, state and environment; nothing of this machine's. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workplace {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  path(...parts: string[]): string;
  /** Writes dbbackup.yaml. */
  configure(yaml: string): Promise<void>;
  run(...args: string[]): Promise<Run>;
  /** Starts without waiting; `ended` resolves with the outcome. */
  start(
    args: readonly string[],
    env?: NodeJS.ProcessEnv,
    stdio?: StdioOptions,
  ): { child: ChildProcess; ended: Promise<Run> };
  remove(): Promise<void>;
}

/** A throw-away folder with its own state. */
export async function makeWorkplace(extraEnv: NodeJS.ProcessEnv = {}): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'dbbackup-e2e-'));
  const { PATH, LANG } = process.env;
  const env = { PATH, LANG, HOME: folder, DBBACKUP_STATE_DIR: join(folder, 'state'), NO_COLOR: '1', ...extraEnv };
  const start: Workplace['start'] = (args, more = {}, stdio = ['ignore', 'pipe', 'pipe']) =>
    startProgram(args, folder, { ...env, ...more }, stdio);
  return {
    folder,
    env,
    path: (...parts) => join(folder, ...parts),
    configure: (yaml) => writeFile(join(folder, 'dbbackup.yaml'), yaml, { mode: 0o600 }),
    run: (...args) => start(args).ended,
    start,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function startProgram(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, stdio: StdioOptions) {
  const child = spawn(process.execPath, [program, ...args], { cwd, env, stdio });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const ended = new Promise<Run>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      done({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
  return { child, ended };
}

/** Fails with everything the program said when the exit code is another. */
export function expectCode(run: Run, code: number): Run {
  if (run.code === code) return run;
  throw new Error(
    `exit ${run.code ?? run.signal}, expected ${code}\n--- stdout\n${run.stdout}\n--- stderr\n${run.stderr}`,
  );
}

/** The lines of NDJSON that are of one `type`; all of them without one. */
export function events<Event = Record<string, unknown>>(run: Run, type?: string): Event[] {
  const lines = run.stdout.split('\n').filter((line) => line !== '');
  const all = lines.map((line) => JSON.parse(line) as Event & { type?: string });
  return all.filter((event) => type === undefined || event.type === type);
}
