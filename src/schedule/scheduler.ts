/**
 * The heart of the daemon: says when which job runs. Knows neither backups nor configs, and takes its clock from
 * outside, so that a test can let a year pass.
 * Guarantees: what was missed (the daemon was down, the machine slept, another run was long) is made up for by one run,
 * not many; no job runs twice at the same time; at most `atOnce` jobs run, the others wait first in, first out; after an
 * abort nothing begins, and `work` resolves when all that ran has ended.
 */
import { missedRun, type RunBefore } from './missed-run.ts';
import { nextRun } from './next-run.ts';
import { describeSchedule, type ScheduledJob } from './schedule.ts';

export interface Clock {
  now(): Date;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export type SchedulerEvent =
  /** A job was taken up: at the start, after a reload, or after its run. */
  | { readonly type: 'scheduled'; readonly job: string; readonly next: Date }
  /** It was due at `due`, and nobody was there. */
  | { readonly type: 'missed'; readonly job: string; readonly due: Date }
  /** It was due, and is still running (or waiting) since last time. */
  | { readonly type: 'skipped'; readonly job: string; readonly due: Date }
  | { readonly type: 'queued'; readonly job: string }
  | { readonly type: 'removed'; readonly job: string };

export interface SchedulerOptions {
  readonly clock: Clock;
  /** Must not reject. */
  readonly run: (job: string) => Promise<void>;
  /** The newest runs of a job before, newest first; two are enough. */
  readonly runsBefore: (job: string) => Promise<readonly RunBefore[]>;
  readonly onEvent: (event: SchedulerEvent) => void;
}

export interface JobState {
  readonly job: string;
  readonly next: Date;
  readonly state: 'idle' | 'queued' | 'running';
}

interface Entry {
  readonly job: ScheduledJob;
  due: Date;
}

/** Clocks are set and machines sleep: how late that is noticed at most. */
const lookEveryMs = 60_000;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: string[] = [];
  readonly #running = new Map<string, Promise<void>>();
  #atOnce = 1;
  #lookedAt: Date;
  #alarm = new AbortController();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#lookedAt = options.clock.now();
  }

  /** Takes up the jobs in place of those before. Whose schedule is the same keeps its time; what runs, runs on. */
  async load(jobs: readonly ScheduledJob[], atOnce: number): Promise<void> {
    this.#atOnce = atOnce;
    for (const name of this.#entries.keys()) if (!jobs.some((job) => job.name === name)) this.#remove(name);
    for (const job of jobs) {
      const before = this.#entries.get(job.name);
      if (before && describeSchedule(before.job.schedule) === describeSchedule(job.schedule)) {
        this.#entries.set(job.name, { job, due: before.due });
      } else await this.#take(job);
    }
    this.#alarm.abort();
  }

  /** Runs what is due until the signal aborts; resolves when everything has ended. */
  async work(signal: AbortSignal): Promise<void> {
    const wake = () => this.#alarm.abort();
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      this.#look(signal);
      this.#alarm = new AbortController();
      await this.#options.clock.wait(this.#untilNext(), this.#alarm.signal);
    }
    signal.removeEventListener('abort', wake);
    this.#queue.length = 0;
    await Promise.all(this.#running.values());
  }

  /** When it was last looked whether something is due: a scheduler that lives looks every minute. */
  get lookedAt(): Date {
    return this.#lookedAt;
  }

  jobs(): readonly JobState[] {
    return [...this.#entries.values()].map(({ job: { name }, due }) => {
      const state = this.#running.has(name) ? 'running' : this.#queue.includes(name) ? 'queued' : 'idle';
      return { job: name, next: due, state };
    });
  }

  async #take(job: ScheduledJob): Promise<void> {
    const now = this.#options.clock.now();
    const missed = missedRun(job.schedule, await this.#options.runsBefore(job.name), now);
    const next = nextRun(job.schedule, now);
    if (missed !== undefined) this.#options.onEvent({ type: 'missed', job: job.name, due: missed });
    else if (next !== undefined) this.#options.onEvent({ type: 'scheduled', job: job.name, next });
    const due = missed === undefined ? next : now;
    if (due !== undefined) this.#entries.set(job.name, { job, due });
  }

  #remove(job: string): void {
    this.#entries.delete(job);
    const waiting = this.#queue.indexOf(job);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    this.#options.onEvent({ type: 'removed', job });
  }

  #look(signal: AbortSignal): void {
    const now = this.#options.clock.now();
    const wentBack = now.getTime() < this.#lookedAt.getTime() - lookEveryMs;
    this.#lookedAt = now;
    for (const entry of this.#entries.values()) {
      // A clock that was ahead has put the next time too far off.
      if (wentBack) this.#plan(entry, now);
      else if (entry.due <= now) this.#isDue(entry, now);
    }
    this.#start(signal);
  }

  #isDue(entry: Entry, now: Date): void {
    const { name } = entry.job;
    const { due } = entry;
    if (this.#running.has(name) || this.#queue.includes(name)) {
      this.#options.onEvent({ type: 'skipped', job: name, due });
    } else {
      this.#queue.push(name);
      if (this.#running.size >= this.#atOnce) this.#options.onEvent({ type: 'queued', job: name });
    }
    this.#plan(entry, now);
  }

  #plan(entry: Entry, now: Date): void {
    const next = nextRun(entry.job.schedule, now);
    if (next === undefined) this.#entries.delete(entry.job.name);
    else entry.due = next;
  }

  #start(signal: AbortSignal): void {
    while (!signal.aborted && this.#running.size < this.#atOnce) {
      const name = this.#queue.shift();
      if (name === undefined) return;
      const run = this.#options.run(name).then(() => this.#ended(name, signal));
      this.#running.set(name, run);
    }
  }

  #ended(name: string, signal: AbortSignal): void {
    this.#running.delete(name);
    const entry = this.#entries.get(name);
    if (signal.aborted) return;
    if (entry !== undefined) this.#options.onEvent({ type: 'scheduled', job: name, next: entry.due });
    this.#start(signal);
  }

  #untilNext(): number {
    const now = this.#options.clock.now().getTime();
    const dues = [...this.#entries.values()].map(({ due }) => due.getTime() - now);
    return Math.max(0, Math.min(lookEveryMs, ...dues));
  }
}
