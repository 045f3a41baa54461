/**
 * `daemon`: the scheduler of a machine or a container, in the foreground. Guarantees: a config that is wrong at a reload
 * changes nothing; one job's failure touches no other; told to end, it ends what runs in good order and begins nothing.
 */
import { setMaxListeners } from 'node:events';
import { DbBackupError, explain, wrapError } from '../../errors.ts';
import type { RunBefore } from '../../schedule/missed-run.ts';
import { type Clock, Scheduler, type SchedulerEvent } from '../../schedule/scheduler.ts';
import { type JobOutcome, runJobs } from '../backup/run-jobs.ts';
import { recoverInterrupted } from '../recover-interrupted.ts';
import type { Runtime } from '../runtime.ts';
import { scheduledJobs } from '../schedule/scheduled-jobs.ts';
import type { DaemonState, JobReport } from './health.ts';

export type DaemonEvent =
  | SchedulerEvent
  | { readonly type: 'ready'; readonly jobs: number; readonly config: string }
  | { readonly type: 'reloaded'; readonly jobs: number; readonly config: string }
  | { readonly type: 'stopping'; readonly running: readonly string[] };

export interface DaemonOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Reads the config anew. */
  readonly open: () => Promise<Runtime>;
  readonly onEvent: (event: DaemonEvent) => void;
  readonly onOutcome: (outcome: JobOutcome, troubles: readonly string[]) => void;
  /** What went wrong beside the runs: a config that could not be reloaded, leftovers that could not be removed. */
  readonly onTrouble: (error: unknown) => void;
}

/** One reading of the config, in use until the last run that began with it has ended. */
interface Session {
  readonly runtime: Runtime;
  running: number;
}

const runOptions = { wait: false, destinations: [], dryRun: false, retention: true } as const;

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #scheduler: Scheduler;
  readonly #startedAt: Date;
  readonly #reports = new Map<string, JobReport>();
  #session: Session | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#scheduler = new Scheduler({
      clock: options.clock,
      run: (job) => this.#run(job),
      runsBefore: (job) => this.#runsBefore(job),
      onEvent: options.onEvent,
    });
  }

  /** Resolves when the signal has aborted and all that ran has ended. Throws when the first config is no good. */
  async work(): Promise<void> {
    const { signal, onEvent } = this.#options;
    signal.addEventListener('abort', () => onEvent({ type: 'stopping', running: this.#runningJobs() }), { once: true });
    const begun = this.#begin();
    // A reload that comes early waits for its turn.
    this.#reloading = begun.catch(() => undefined);
    await begun;
    await this.#scheduler.work(signal);
    await this.#reloading;
    this.#session?.runtime.history.close();
  }

  /** Reads the config anew; one after the other. A config that is wrong is told, and the one before kept. */
  reload(): void {
    this.#reloading = this.#reloading.then(() => this.#reload()).catch((error) => this.#options.onTrouble(error));
  }

  state(): DaemonState {
    const jobs = this.#scheduler.jobs().map((each) => ({ ...each, ...this.#reports.get(each.job) }));
    return { startedAt: this.#startedAt, lookedAt: this.#scheduler.lookedAt, now: this.#options.clock.now(), jobs };
  }

  async #begin(): Promise<void> {
    const runtime = await this.#options.open();
    const jobs = scheduledJobs(runtime.config);
    if (jobs.length === 0) {
      throw new DbBackupError('CONFIG_INVALID', `no enabled job of ${runtime.config?.file} has a schedule`, {
        hint: 'Add one to a job: schedule: { cron: "0 3 * * *" }, or { every: 6h }.',
      });
    }
    const destinations = [...(runtime.config?.destinations.values() ?? [])];
    for (const trouble of await recoverInterrupted(destinations, runtime)) this.#options.onTrouble(trouble);
    this.#session = { runtime, running: 0 };
    this.#options.onEvent({ type: 'ready', jobs: jobs.length, config: runtime.config?.file ?? '' });
    await this.#scheduler.load(jobs, runtime.config?.maxConcurrentJobs ?? 1);
  }

  async #reload(): Promise<void> {
    if (this.#options.signal.aborted) return;
    const runtime = await this.#options.open().catch((cause) => {
      throw wrapError(cause, 'CONFIG_INVALID', 'the config was not read anew, the one before stays in force');
    });
    const before = this.#session;
    this.#session = { runtime, running: 0 };
    if (before?.running === 0) before.runtime.history.close();
    const jobs = scheduledJobs(runtime.config);
    this.#options.onEvent({ type: 'reloaded', jobs: jobs.length, config: runtime.config?.file ?? '' });
    await this.#scheduler.load(jobs, runtime.config?.maxConcurrentJobs ?? 1);
  }

  async #run(name: string): Promise<void> {
    const session = this.#session;
    const job = session?.runtime.config?.jobs.get(name);
    if (session === undefined || job === undefined) return;
    session.running += 1;
    const ending = ownSignal(this.#options.signal);
    try {
      const outcomes: JobOutcome[] = [];
      const runtime = { ...session.runtime, signal: ending.signal };
      const { troubles, exitCode } = await runJobs([job], runOptions, runtime, (each) => outcomes.push(each));
      this.#reports.set(name, { lastEnd: this.#options.clock.now(), lastExitCode: exitCode });
      for (const outcome of outcomes) this.#options.onOutcome(outcome, troubles);
    } catch (error) {
      this.#options.onTrouble(new DbBackupError('UNEXPECTED', `${name} could not be run: ${explain(error)}`));
    } finally {
      ending.forget();
      session.running -= 1;
      // Opened again by the next run: a file that somebody moved meanwhile is found anew.
      if (session.running === 0) session.runtime.history.close();
    }
  }

  async #runsBefore(job: string): Promise<readonly RunBefore[]> {
    const runs = (await this.#session?.runtime.recentRuns(job, 2)) ?? [];
    return runs.map(({ startedAt, status, error }) => ({
      startedAt,
      cut: status === 'interrupted' || error?.code === 'TERMINATED',
    }));
  }

  #runningJobs(): readonly string[] {
    return this.#scheduler.jobs().flatMap(({ job, state }) => (state === 'running' ? [job] : []));
  }
}

/** Listeners on a signal that lives for months would pile up from run to run; those on one of its own go with it. */
function ownSignal(signal: AbortSignal): { readonly signal: AbortSignal; forget(): void } {
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const abort = () => own.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  return { signal: own.signal, forget: () => signal.removeEventListener('abort', abort) };
}
