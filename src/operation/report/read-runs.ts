import type { Execution, ExecutionStatus, History } from '../../history/history.ts';
import { redact } from '../../redact.ts';
import { type Failure, mostFailures, type Run, type RunOutcome } from './report.ts';

/** What the history tells of one job. */
export interface JobRecord {
  readonly runs: Run[];
  /** Newest first. */
  readonly failures: Failure[];
  failureCount: number;
  /** Destinations that its backups went to. */
  readonly destinations: Set<string>;
}

/** Rows held at a time: a job that runs every minute has 130,000 in three months. */
const pageSize = 10_000;
/** Characters; the log has all of it. */
const messageLimit = 1000;
/** A file of garbage between two sound pages must not keep us here for ever. */
const mostPages = 1000;

/** Job → its record. Without names: every job that has anything. */
export function readRuns(
  history: Pick<History, 'list' | 'logs'>,
  names: readonly string[],
  since: Date,
): ReadonlyMap<string, JobRecord> {
  const records = new Map<string, JobRecord>();
  for (const job of names.length > 0 ? names : [undefined]) {
    for (const execution of executions(history, job, since)) add(records, execution);
  }
  for (const { failures } of records.values()) {
    failures.forEach((failure, index) => {
      if (failure.status === 'suspect') failures[index] = withReason(failure, history);
    });
  }
  return records;
}

/** Why a backup is suspect stands in the log of its run. */
function withReason(failure: Failure, history: Pick<History, 'logs'>): Failure {
  const reasons = history.logs(failure.executionId).filter(({ level, text }) => level === 'warning' && isReason(text));
  const reason = reasons.at(-1)?.text;
  return reason === undefined ? failure : { ...failure, message: redact(reason).slice(0, messageLimit) };
}

function isReason(text: string): boolean {
  return text.startsWith('suspect: ');
}

/** Oldest first, so that what begins meanwhile comes last and shifts no page. */
function* executions(history: Pick<History, 'list'>, job: string | undefined, since: Date): Generator<Execution> {
  for (let page = 0; page < mostPages; page += 1) {
    const found = history.list({ job, since, order: 'asc', limit: pageSize, offset: page * pageSize }).executions;
    yield* found;
    if (found.length < pageSize) return;
  }
}

function add(records: Map<string, JobRecord>, execution: Execution): void {
  const { job, kind, destinations } = execution;
  if (job === undefined) return;
  const record = records.get(job) ?? emptyRecord();
  records.set(job, record);
  if (kind === 'backup') {
    record.runs.push(runOf(execution));
    for (const { name } of destinations) record.destinations.add(name);
  }
  const failure = failureOf(execution);
  if (failure === undefined) return;
  record.failureCount += 1;
  const [before] = record.failures;
  if (before !== undefined && saySame(before, failure)) {
    record.failures[0] = { ...failure, times: before.times + 1, sinceAt: before.sinceAt };
    return;
  }
  record.failures.unshift(failure);
  record.failures.length = Math.min(record.failures.length, mostFailures);
}

/** A disk that is full fails every run in the same words. What makes a backup suspect is looked up later, for each. */
function saySame(a: Failure, b: Failure): boolean {
  return a.kind === b.kind && a.status === b.status && a.message === b.message && a.status !== 'suspect';
}

export function emptyRecord(): JobRecord {
  return { runs: [], failures: [], failureCount: 0, destinations: new Set() };
}

const outcomes: Readonly<Record<ExecutionStatus, RunOutcome>> = {
  completed: 'good',
  partial: 'warned',
  suspect: 'warned',
  cancelled: 'warned',
  failed: 'failed',
  interrupted: 'failed',
  pending: 'running',
  running: 'running',
};

/** Sizes and duration of a run that published nothing say nothing about backups. */
const published: readonly ExecutionStatus[] = ['completed', 'partial', 'suspect'];

export function runOf(execution: Execution): Run {
  const { id, rebuiltAt, backupId, startedAt, trigger, status, durationMs, rawBytes, storedBytes } = execution;
  return {
    executionId: rebuiltAt === undefined ? id : undefined,
    backupId,
    startedAt,
    trigger,
    status,
    outcome: outcomes[status],
    ...(published.includes(status) ? { durationMs, rawBytes, storedBytes } : {}),
  };
}

const troubles: readonly ExecutionStatus[] = ['failed', 'interrupted', 'partial', 'suspect'];

function failureOf({ id, kind, startedAt, status, error, destinations, step }: Execution): Failure | undefined {
  if (!troubles.includes(status)) return undefined;
  const missed = destinations.filter((each) => each.status !== 'completed');
  const told = missed.map(({ name, error: reason }) => `${name}: ${reason ?? 'not completed'}`).join('; ');
  const message = error?.message ?? (told || usualMessage(status, step));
  return {
    executionId: id,
    kind,
    startedAt,
    times: 1,
    sinceAt: startedAt,
    status,
    // Cut after it was redacted: half a secret would not be found.
    message: redact(message).slice(0, messageLimit),
    code: error?.code,
    hint: error?.hint === undefined ? undefined : redact(error.hint),
  };
}

function usualMessage(status: ExecutionStatus, step: string | undefined): string {
  if (status === 'suspect') return 'its backup differs too much from earlier ones';
  if (status === 'interrupted') return `its process ended${step === undefined ? '' : ` at the step "${step}"`}`;
  return 'no reason was recorded';
}
