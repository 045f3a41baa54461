import { resolve } from 'node:path';
import type { Command } from '../../config/config.ts';
import { DbBackupError, messageOf } from '../../errors.ts';
import { produce } from '../../process/process.ts';
import { redact } from '../../redact.ts';
import type { Execution } from '../execution.ts';
import { FloodGuard } from './flood-guard.ts';
import { LineSplitter } from './line-splitter.ts';

/** Longest line written to the log, in characters; cut after redaction, so that no half of a secret is left. */
const longestLogged = 8192;

export interface HookCall {
  /** `before`, `after` … and the job, for messages. */
  readonly name: string;
  readonly job: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** `after` must not be stopped by what stopped the run. */
  readonly signal?: AbortSignal;
}

/**
 * One command, without a shell, in its own process group; its output goes to the log line by line. Throws HOOK_FAILED,
 * or the signal's reason.
 */
export async function runHook([command = '', ...args]: Command, call: HookCall, execution: Execution): Promise<void> {
  const log = new FloodGuard((line) => execution.log('info', `${call.name}: ${redact(line).slice(0, longestLogged)}`));
  const stdout = new LineSplitter((line) => log.add(line));
  const stderr = new LineSplitter((line) => log.add(line));
  try {
    const program = produce({
      // A program with a path is looked for beside the config, not where dbbackup was started.
      command: command.includes('/') ? resolve(call.folder, command) : command,
      args,
      env: call.env,
      cwd: call.folder,
      signal: call.signal,
      totalTimeoutMs: call.timeoutMs,
      onStderr: (chunk) => stderr.add(chunk),
    });
    for await (const chunk of program.stdout) stdout.add(chunk);
    await program.ended;
  } catch (cause) {
    if (call.signal?.aborted) throw call.signal.reason;
    const hint = cause instanceof DbBackupError ? cause.hint : undefined;
    throw new DbBackupError('HOOK_FAILED', `hook ${call.name} of ${call.job} failed: ${messageOf(cause)}`, {
      cause,
      hint,
    });
  } finally {
    stdout.end();
    stderr.end();
    log.end();
  }
}
