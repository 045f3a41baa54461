import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError } from '../errors.ts';
import { holdsSecret } from '../redact.ts';
import { exitFailure, nameOf, ProgramFailure, startFailure, timeoutFailure } from './failure.ts';
import { endGroup, forgetGroup, graceMs, registerGroup } from './group.ts';
import { IdleTimer } from './idle-timer.ts';
import type { ProgramEnd, ProgramSpec } from './process.ts';
import { endingOf, type RemoteStart, remoteStart } from './remote.ts';
import { StderrTail } from './stderr-tail.ts';
import { withLargeBuffers } from './stdio-buffer.ts';

/** Longest wait for the rest of stderr once the group is gone (a process that left the group may hold the pipe), in ms. */
const lastWordsMs = 500;

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Child = ChildProcess & { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable };

/** One started program: watches its time limits, its stderr and its end. The streams are built on top of it. */
export class Run {
  readonly spec: ProgramSpec;
  readonly child: Child;
  readonly idle: IdleTimer;
  readonly ended: Promise<ProgramEnd>;
  /** True until the program has been given its end of input; a program that exits before that has failed. */
  inputOpen: boolean;

  /** The program's name on the other side of a prefix; undefined for one that runs here, or that ends another. */
  readonly #remoteRun: string | undefined;
  readonly #tail = new StderrTail();
  readonly #firstSignal: 'SIGTERM' | 'SIGKILL';
  readonly #totalTimer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #over = false;
  #ending: Promise<void> | undefined;
  #remoteEnding: Promise<void> | undefined;
  #gaveUp: () => void = () => {};

  /**
   * Throws UNEXPECTED when an argument holds a secret, and the signal's reason when that is already aborted.
   * `reads`: the program gets a stream on stdin. Such a program is ended by SIGKILL only: after a SIGTERM it might
   * still read on, and take the end of a cut stream for the end of a whole one.
   */
  constructor(spec: ProgramSpec, reads: boolean, endsAnother = false) {
    refuseSecrets(spec);
    spec.signal?.throwIfAborted();
    this.spec = spec;
    this.inputOpen = reads;
    this.#firstSignal = reads ? 'SIGKILL' : 'SIGTERM';
    const run = randomUUID();
    const remote = spec.prefix && remoteStart(spec, spec.prefix, reads, run);
    this.#remoteRun = remote && !endsAnother ? run : undefined;
    this.child = startChild(spec, remote);
    if (remote !== undefined) {
      this.child.stdin.on('error', () => {});
      this.child.stdin.write(remote.firstLine);
    }
    if (this.child.pid !== undefined) registerGroup(this.child.pid);
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#tail.add(chunk);
      spec.onStderr?.(chunk);
      this.idle.touch();
    });
    this.idle = new IdleTimer(spec.idleTimeoutMs, () => this.#timedOut('was silent for', spec.idleTimeoutMs));
    if (spec.totalTimeoutMs !== undefined) {
      this.#totalTimer = setTimeout(
        () => this.#timedOut('did not end within', spec.totalTimeoutMs),
        spec.totalTimeoutMs,
      );
    }
    spec.signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.ended = this.#conclude();
    // Whoever only uses the stream hears of the failure there.
    this.ended.catch(() => {});
  }

  /** Ends the group for `reason` (the first reason counts); resolves when it is gone and `ended` has settled. */
  async stop(reason?: Error): Promise<void> {
    if (this.#over) return;
    this.#failure ??= reason ?? new ProgramFailure('TOOL_FAILED', `${nameOf(this.spec)} was stopped before its end`);
    this.#remoteEnding ??= this.#endRemote();
    await this.#remoteEnding;
    await this.#end();
    this.#gaveUp();
    await this.ended.catch(() => {});
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.spec.signal?.reason;
    void this.stop(reason instanceof Error ? reason : new Error(String(reason)));
  };

  #timedOut(problem: string, limitMs = 0): void {
    void this.stop(timeoutFailure(this.spec, problem, limitMs, this.#tail.text()));
  }

  /** By a connection of its own, and before its input closes here; takes 5 s at most. */
  async #endRemote(): Promise<void> {
    const { prefix } = this.spec;
    if (prefix === undefined || this.#remoteRun === undefined) return;
    const ending = new Run(endingOf(this.#remoteRun, prefix), false, true);
    ending.child.stdout.resume();
    await ending.ended.catch(() => {});
  }

  /** The group first, our ends of the pipes afterwards. */
  #end(): Promise<void> {
    this.#ending ??= this.#endOnce();
    return this.#ending;
  }

  async #endOnce(): Promise<void> {
    const { pid, stdin, stdout, stderr } = this.child;
    if (pid !== undefined) await endGroup(pid, this.#firstSignal);
    stdin.destroy();
    stdout.destroy();
    if (!stderr.closed) {
      const waiting = new AbortController();
      stderr.once('close', () => waiting.abort());
      await delay(lastWordsMs, undefined, { signal: waiting.signal }).catch(() => {});
      stderr.destroy();
    }
  }

  async #conclude(): Promise<ProgramEnd> {
    try {
      const { code, signal } = await this.#exit();
      // Helpers of a failed program must not outlive it, nor hold its pipes open.
      if (code !== 0) await this.#end();
      return this.#judge(code, signal);
    } finally {
      this.#over = true;
      this.idle.clear();
      clearTimeout(this.#totalTimer);
      this.spec.signal?.removeEventListener('abort', this.#onAbort);
      if (this.child.pid !== undefined) forgetGroup(this.child.pid);
    }
  }

  /** Resolves at exit 0 *and* stdio closed, at any other exit, or when stopping has done all it could. */
  #exit(): Promise<Exit> {
    return new Promise((resolve, reject) => {
      this.child.once('error', (error) => reject(startFailure(startedSpec(this.spec), error)));
      this.child.once('exit', (code, signal) => {
        if (code !== 0) resolve({ code, signal });
        else this.#letGoOfStderr();
      });
      this.child.once('close', (code, signal) => resolve({ code, signal }));
      this.#gaveUp = () => resolve({ code: this.child.exitCode, signal: this.child.signalCode });
    });
  }

  /** A helper that went its own way (ssh's ControlPersist) may hold stderr for hours after a good end. */
  #letGoOfStderr(): void {
    const { stdout, stderr } = this.child;
    const letGo = () => void setTimeout(() => stderr.destroy(), graceMs).unref();
    if (stdout.closed) letGo();
    else stdout.once('close', letGo);
  }

  #judge(code: number | null, signal: NodeJS.Signals | null): ProgramEnd {
    if (this.#failure !== undefined) throw this.#failure;
    const stderrTail = this.#tail.text();
    if (code !== 0) throw exitFailure(this.spec, code, signal, stderrTail);
    if (this.inputOpen) {
      const message = `${nameOf(this.spec)} exited before it had read all of its input`;
      throw new ProgramFailure('TOOL_FAILED', message, stderrTail, { toolExitCode: code });
    }
    return { exitCode: code, stderrTail };
  }
}

function startChild(spec: ProgramSpec, remote: RemoteStart | undefined): Child {
  try {
    const env = remote === undefined ? { ...process.env, ...spec.env } : process.env;
    const [command, args] = remote === undefined ? localStart(spec) : [remote.command, remote.args];
    const cwd = remote === undefined ? spec.cwd : undefined;
    // `detached` makes it the leader of its own session: one signal reaches all of it, and it cannot prompt on our terminal.
    return spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    throw startFailure(startedSpec(spec), error as NodeJS.ErrnoException);
  }
}

function localStart({ command, args, largeBuffers }: ProgramSpec): [command: string, args: readonly string[]] {
  return largeBuffers ? withLargeBuffers(command, args) : [command, args];
}

/** As it is started here: behind a prefix it is that which may be missing. */
function startedSpec(spec: ProgramSpec): ProgramSpec {
  return spec.prefix === undefined ? spec : { command: spec.prefix.words[0] ?? '', args: [] };
}

function refuseSecrets(spec: ProgramSpec): void {
  if (!spec.args.some(holdsSecret)) return;
  throw new DbBackupError('UNEXPECTED', `refused to start ${nameOf(spec)}: one of its arguments contains a secret`, {
    hint: 'Every user of this machine can read arguments. A password that is also the name of a database, user or file must be changed.',
  });
}
