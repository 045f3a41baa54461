/** From how a run ended to what is told of it. Every text is redacted here, before any channel sees it. */
import type { Job } from '../../config/config.ts';
import { DbBackupError, explain, messageOf } from '../../errors.ts';
import type { JobStatistics } from '../../history/history.ts';
import type { BackupFigures, Message, MessageError, OutcomeEvent } from '../../notification/notification.ts';
import { redact } from '../../redact.ts';
import { formatBytes, formatDuration, formatSavings } from '../../value/figure.ts';
import type { BackupResult } from '../backup/backup.ts';
import type { JobOutcome } from '../backup/run-jobs.ts';
import type { Watch } from './watch-run.ts';

type Told = Pick<Message, 'event' | 'status' | 'title' | 'text'> & Partial<Message>;

export function messageOfStart(job: Job, watch: Watch): Message {
  const title = `backup of ${job.name} started on ${watch.runtime.host}`;
  return complete({ event: 'start', status: 'running', title, text: '' }, job.name, watch);
}

export function messageOfEnd(outcome: JobOutcome, watch: Watch, previous: JobStatistics | undefined): Message {
  const { job } = outcome;
  const durationMs = Date.now() - watch.startedAt.getTime();
  const lastGood = previous?.lastGood && figuresOf(previous.lastGood);
  if (outcome.status === 'failed')
    return complete({ ...failure(outcome.error, watch), durationMs, lastGood }, job.name, watch);
  const { result, retention } = outcome;
  // A dry run tells nobody.
  if (!('status' in result)) throw new DbBackupError('UNEXPECTED', `a dry run of ${job.name} has no message`);
  const troubles = [...result.troubles, ...retention.troubles];
  const figures = { at: new Date(), durationMs, ...bytesOf(result) };
  const good = result.status === 'completed' ? figures : lastGood;
  return complete({ ...success(result, troubles, watch), ...figures, lastGood: good }, job.name, watch);
}

function failure(error: unknown, watch: Watch): Told {
  const known = describeError(error);
  const ended = known.code === 'TERMINATED';
  const lines = [
    `${known.code}: ${known.message}`,
    known.hint && `Hint: ${known.hint}`,
    `Started ${watch.startedAt.toISOString()}.`,
    watch.executionId && `dbbackup logs ${watch.executionId.slice(0, 8)} shows its log.`,
  ];
  return {
    event: 'failure',
    status: ended ? 'cancelled' : 'failed',
    title: ended ? 'backup was TERMINATED' : 'backup FAILED',
    text: lines.filter(Boolean).join('\n'),
    error: known,
  };
}

const titles: Readonly<Record<string, string>> = {
  partial: 'backup was NOT STORED EVERYWHERE',
  suspect: 'backup is SUSPECT',
};

function success(result: BackupResult, troubles: readonly string[], watch: Watch): Told {
  const { rawBytes, storedBytes } = bytesOf(result);
  const destinations = result.destinations.map(({ name, status, error }) => ({
    name,
    status,
    error: error === undefined ? undefined : messageOf(error),
  }));
  const sizes = `${formatBytes(rawBytes)} → ${formatBytes(storedBytes)} (${formatSavings(rawBytes, storedBytes)})`;
  const lines = [
    `${sizes} in ${formatDuration(result.sidecar.durationMs)}`,
    result.key,
    ...destinations.map(({ name, status, error }) => `${name}: ${status}${error ? `: ${error}` : ''}`),
    ...new Set([...troubles, ...result.warnings].map((text) => `Warning: ${text}`)),
    `Started ${watch.startedAt.toISOString()}.`,
  ];
  const inOrder = result.status === 'completed' && troubles.length === 0;
  return {
    event: inOrder ? 'success' : 'warning',
    status: result.status,
    title: titles[result.status] ?? (inOrder ? 'backup completed' : 'backup completed, with TROUBLE'),
    text: lines.join('\n'),
    artifact: result.key,
    destinations,
    warnings: [...new Set([...troubles, ...result.warnings])],
  };
}

/** A success that ends a time of trouble. */
export function asRecovery(message: Message): Message {
  return {
    ...message,
    event: 'recovery' satisfies OutcomeEvent,
    title: message.title.replace('completed', 'works again'),
  };
}

function complete(told: Told, job: string, watch: Watch): Message {
  const { host } = watch.runtime;
  const title = told.event === 'start' ? told.title : `${job}: ${told.title} on ${host}`;
  return {
    job,
    host,
    executionId: watch.executionId,
    at: new Date(),
    ...told,
    title: redact(title),
    text: redact(told.text),
    destinations: told.destinations?.map((each) => ({ ...each, error: each.error && redact(each.error) })),
    warnings: (told.warnings ?? []).map(redact),
    log: watch.log.map(redact),
  };
}

function bytesOf({ sidecar: { artifact } }: BackupResult) {
  return { rawBytes: artifact.rawBytes, storedBytes: artifact.storedBytes };
}

function figuresOf({
  startedAt,
  finishedAt,
  durationMs,
  rawBytes,
  storedBytes,
}: NonNullable<JobStatistics['lastGood']>): BackupFigures {
  return {
    at: finishedAt ?? startedAt,
    durationMs: durationMs ?? 0,
    rawBytes: rawBytes ?? 0,
    storedBytes: storedBytes ?? 0,
  };
}

function describeError(error: unknown): MessageError {
  const known = error instanceof DbBackupError ? error : undefined;
  return {
    code: known?.code ?? 'UNEXPECTED',
    message: redact(explain(error)),
    hint: known?.hint && redact(known.hint),
  };
}
