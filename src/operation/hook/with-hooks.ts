/**
 * The user's own commands around a backup. Guarantees: a failing `before` ends the run before a byte is dumped; once
 * `before` has begun, `after` is run whatever happened, an interruption included, because it undoes `before`; a failure
 * of any other hook is trouble told beside the backup's own result, never in its place.
 */
import type { Hooks, Job } from '../../config/config.ts';
import { DbBackupError, messageOf } from '../../errors.ts';
import { redact } from '../../redact.ts';
import type { Execution } from '../execution.ts';
import { isWorthTelling } from '../is-worth-telling.ts';
import type { Runtime } from '../runtime.ts';
import { type HookCall, runHook } from './run-hook.ts';

type HookName = Exclude<keyof Hooks, 'timeoutMs'>;

/** What `work` must tell for the hooks' environment. */
interface Made {
  readonly status: string;
  readonly key: string;
}

interface Outcome<Value> {
  readonly value?: Value;
  readonly error?: unknown;
}

/** @param isFinal false for a failure that another try follows, which `onFailure` is not told of */
export async function withHooks<Value extends Made>(
  job: Job,
  execution: Execution,
  runtime: Runtime,
  isFinal: (error: unknown) => boolean,
  work: () => Promise<Value>,
): Promise<Value> {
  const { hooks } = job;
  if (hooks === undefined) return await work();
  const call = callerOf(job, hooks, execution, runtime);
  const outcome = await attempt(async () => {
    await runAll(hooks.before, { ...call('before', {}), signal: execution.signal }, execution);
    return await work();
  });
  await tellAll(hooks.after, call('after', outcome), execution);
  if (outcome.value !== undefined) {
    await tellAll(hooks.onSuccess, call('onSuccess', outcome), execution);
    return outcome.value;
  }
  if (isWorthTelling(outcome.error) && isFinal(outcome.error))
    await tellAll(hooks.onFailure, call('onFailure', outcome), execution);
  throw outcome.error;
}

async function attempt<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

/** Ends at the first that fails. */
async function runAll(commands: Hooks[HookName], call: HookCall, execution: Execution): Promise<void> {
  for (const command of commands) {
    execution.step(call.name);
    await runHook(command, call, execution);
  }
}

/** Each for itself: one that fails must not keep the next from its work. */
async function tellAll(commands: Hooks[HookName], call: HookCall, execution: Execution): Promise<void> {
  for (const command of commands) {
    await runAll([command], call, execution).catch((error) => execution.trouble(messageOf(error)));
  }
}

function callerOf(job: Job, { timeoutMs }: Hooks, execution: Execution, runtime: Runtime) {
  return (name: HookName, outcome: Outcome<Made>): HookCall => ({
    name,
    job: job.name,
    folder: runtime.config?.folder ?? runtime.workingFolder,
    timeoutMs,
    env: {
      DBBACKUP_HOOK: name,
      DBBACKUP_JOB: job.name,
      DBBACKUP_EXECUTION: execution.id,
      DBBACKUP_STATUS: statusOf(outcome),
      // Undefined removes what a run around this one may have set.
      DBBACKUP_ARTIFACT: outcome.value?.key,
      DBBACKUP_ERROR: outcome.error === undefined ? undefined : redact(messageOf(outcome.error)),
      DBBACKUP_ERROR_CODE: outcome.error === undefined ? undefined : codeOf(outcome.error),
    },
  });
}

function statusOf({ value, error }: Outcome<Made>): string {
  if (error !== undefined) return /^(INTERRUPTED|TERMINATED)$/.test(codeOf(error)) ? 'cancelled' : 'failed';
  return value?.status ?? 'running';
}

function codeOf(error: unknown): string {
  return error instanceof DbBackupError ? error.code : 'UNEXPECTED';
}
