import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { DbBackupError, type ErrorCode, type ErrorDetails } from '../errors.ts';
import { redact } from '../redact.ts';
import type { Prefix, ProgramSpec } from './process.ts';
import { explainRemote } from './remote.ts';

/** How a program ended badly; adapters read `toolExitCode` and `stderrTail` to give the failure a better name. */
export class ProgramFailure extends DbBackupError {
  /** Undefined when it was killed, could not be started or was ended by us. */
  readonly toolExitCode: number | undefined;
  /** Redacted, 8 KiB at most. */
  readonly stderrTail: string;

  constructor(
    code: ErrorCode,
    message: string,
    stderrTail = '',
    details: ErrorDetails & { toolExitCode?: number } = {},
  ) {
    super(code, stderrTail === '' ? message : `${message}: ${stderrTail}`, details);
    this.toolExitCode = details.toolExitCode;
    this.stderrTail = stderrTail;
  }
}

/** The program's name as users know it. */
export function nameOf(spec: ProgramSpec): string {
  return spec.name ?? basename(spec.command);
}

/** The program could not be started at all. */
export function startFailure(spec: ProgramSpec, cause: NodeJS.ErrnoException): ProgramFailure {
  const name = nameOf(spec);
  if (cause.code === 'ENOENT' && spec.cwd !== undefined && !existsSync(spec.cwd)) {
    return new ProgramFailure('TOOL_FAILED', `cannot start ${name}: no such working folder: ${spec.cwd}`, '', {
      cause,
    });
  }
  if (cause.code === 'ENOENT') {
    const hint = spec.missingHint ?? `Install ${name}, or add its folder to PATH.`;
    return new ProgramFailure('TOOL_MISSING', `${name} was not found (${spec.command})`, '', { cause, hint });
  }
  if (cause.code === 'EACCES') {
    const hint = spec.missingHint ?? `Make ${name} executable for this user.`;
    return new ProgramFailure('TOOL_MISSING', `${name} may not be executed (${spec.command})`, '', { cause, hint });
  }
  return new ProgramFailure('TOOL_FAILED', redact(`cannot start ${name}: ${cause.message}`), '', { cause });
}

/** The program ended by itself, but not with 0. */
export function exitFailure(
  spec: ProgramSpec,
  exitCode: number | null,
  signal: NodeJS.Signals | null,
  stderrTail: string,
): ProgramFailure {
  if (exitCode === null) {
    return new ProgramFailure('TOOL_FAILED', `${nameOf(spec)} was killed by ${signal}`, stderrTail, {
      hint:
        signal === 'SIGKILL' ? 'Someone killed it, or the system ran out of memory (see the kernel log).' : undefined,
    });
  }
  if (spec.prefix !== undefined) return remoteFailure(spec, spec.prefix, exitCode, stderrTail);
  // What a shell or a wrapper (env) answers when it does not find the program.
  const hint = exitCode === 127 ? spec.missingHint : undefined;
  return new ProgramFailure('TOOL_FAILED', `${nameOf(spec)} exited with code ${exitCode}`, stderrTail, {
    toolExitCode: exitCode,
    hint,
  });
}

function remoteFailure(spec: ProgramSpec, prefix: Prefix, exitCode: number, stderrTail: string): ProgramFailure {
  const way = prefix.words.join(' ');
  const name = nameOf(spec);
  if (exitCode === 127) {
    const hint = spec.missingHint ?? `Install ${name} there, or where it is, add its folder to PATH.`;
    return new ProgramFailure('TOOL_MISSING', `${name} was not found by "${way}"`, stderrTail, { hint });
  }
  return new ProgramFailure('TOOL_FAILED', `${name}, run by "${way}", exited with code ${exitCode}`, stderrTail, {
    toolExitCode: exitCode,
    hint: explainRemote(prefix, stderrTail),
    // ssh's own code for a connection that failed or broke.
    retryable: exitCode === 255,
  });
}

export function timeoutFailure(
  spec: ProgramSpec,
  problem: string,
  limitMs: number,
  stderrTail: string,
): ProgramFailure {
  const message = `${nameOf(spec)} ${problem} ${limitMs / 1000} s and was stopped`;
  return new ProgramFailure('TIMEOUT', message, stderrTail, { retryable: true });
}
