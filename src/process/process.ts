/**
 * Contract of the process room, the only user of child_process.
 * Guarantees: argument arrays, never a shell; the program leads its own process group, and the whole group is ended
 * (SIGTERM, then SIGKILL) on abort, time-out or error; stderr is read to the end and only its tail is kept; stdout's
 * end is held back until the program has exited 0, in every other case the stream errors.
 * Refuses: secrets among the arguments (a registered secret in argv throws before anything is started).
 */
import type { Readable, Writable } from 'node:stream';

/** The way to where a program runs, tried by `openPrefix`. */
export interface Prefix {
  /** `docker exec -i db`. */
  readonly words: readonly string[];
  /** Shells that will read the words behind it: 1 for ssh, 0 for docker. */
  readonly shells: number;
}

export interface ProgramSpec {
  /** Name looked up on PATH, or an absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  /** As users know it, where `command` is a shell that starts it; without it the name in `command`. */
  readonly name?: string;
  /** Added to our own environment; `undefined` removes a variable. Secrets go here, never into `args`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Of programs that run here. */
  readonly cwd?: string;
  /**
   * Runs it elsewhere, with `env` alone added to the environment there. What it finds there (PATH, files, the user's
   * settings) is its own; `stdinPrefix` must be text.
   */
  readonly prefix?: Prefix;
  /** The program moves a dump through the C library's stdio: give it larger buffers, where that can be done. */
  readonly largeBuffers?: boolean;
  readonly signal?: AbortSignal;
  /** Longest time in ms without a byte on stdout, stdin (accepted) or stderr. */
  readonly idleTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
  /** Way out when the program is not installed: `Install it: apt-get install sqlite3`. */
  readonly missingHint?: string;
  /** Gets stderr as it comes, not redacted, beside the tail that is kept for messages. Must not throw. */
  readonly onStderr?: (chunk: Buffer) => void;
  /** First line(s) for stdin before anything else, for programs that read a secret there. */
  readonly stdinPrefix?: Buffer;
}

/** Failure of a program: code TOOL_MISSING, TOOL_FAILED or TIMEOUT; message ends with the stderr tail, redacted. */
export interface ProgramEnd {
  readonly exitCode: number;
  /** The last 8 KiB of stderr at most. */
  readonly stderrTail: string;
}

interface RunningProgram {
  readonly pid: number | undefined;
  /** Resolves at exit 0 after stdio is closed; rejects with the program's failure otherwise. */
  readonly ended: Promise<ProgramEnd>;
  /** Ends the whole process group and resolves when it is gone. Never rejects; a no-op after the end. */
  stop(reason?: Error): Promise<void>;
}

/** A program that writes: destroying `stdout` stops it. */
export interface Producer extends RunningProgram {
  readonly stdout: Readable;
}

/**
 * A program that reads: `stdin` finishes only after exit 0; destroying it with an error kills the group *before* the
 * pipe is closed, so that the program never takes a cut stream for a whole one.
 */
export interface Consumer extends RunningProgram {
  readonly stdin: Writable;
}

export interface Output extends ProgramEnd {
  readonly stdout: string;
}

export { capture } from './capture.ts';
export { consume } from './consume.ts';
export { ProgramFailure } from './failure.ts';
export { filter } from './filter.ts';
export { findProgram } from './find-program.ts';
export { findRemoteProgram } from './find-remote-program.ts';
export { guardedFolder } from './guarded-folder.ts';
export { openPrefix } from './prefix.ts';
export { produce } from './produce.ts';
