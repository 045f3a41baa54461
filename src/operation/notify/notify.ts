/**
 * Tells the job's channels what becomes of a run. Guarantees: whatever happens here, the run's own outcome is returned
 * unchanged; what could not be told is in the execution's log and among `troubles`, which make the exit code 8.
 * Channels are opened before the run, so that a missing secret shows every night and not only in the one it is needed.
 */
import type { Job } from '../../config/config.ts';
import { explain } from '../../errors.ts';
import type { JobStatistics } from '../../history/history.ts';
import type { Message } from '../../notification/notification.ts';
import { redact } from '../../redact.ts';
import type { JobOutcome } from '../backup/run-jobs.ts';
import { isWorthTelling } from '../is-worth-telling.ts';
import type { Runtime } from '../runtime.ts';
import { asRecovery, messageOfEnd, messageOfStart } from './compose-message.ts';
import { fingerprintOf, openMemory } from './memory.ts';
import { type Channel, openChannel } from './open-channel.ts';
import { sendWithRetry } from './send-with-retry.ts';
import { type Watch, watchRun } from './watch-run.ts';

export interface NotifiedOutcome {
  readonly outcome: JobOutcome;
  readonly troubles: readonly string[];
}

/** Runs the job with a runtime that is watched, and tells its start and its end. */
export async function withNotifications(
  job: Job,
  runtime: Runtime,
  run: (runtime: Runtime) => Promise<JobOutcome>,
): Promise<NotifiedOutcome> {
  if (job.notify.length === 0) return { outcome: await run(runtime), troubles: [] };
  const { channels, troubles } = await openChannels(job, runtime);
  const previous = await runtime.jobStatistics(job.name);
  let started: Promise<readonly string[]> = Promise.resolve([]);
  const watch = watchRun(runtime, (begun) => {
    started = tellAll(channels, messageOfStart(job, begun), runtime);
  });
  const outcome = await run(watch.runtime);
  troubles.push(...(await started));
  if (outcome.status !== 'failed' || isWorthTelling(outcome.error)) {
    troubles.push(...(await tellEnd(channels, outcome, watch, previous)));
  }
  for (const trouble of troubles) {
    if (watch.executionId !== undefined) runtime.history.log(watch.executionId, 'warning', trouble);
  }
  return { outcome, troubles };
}

async function openChannels(job: Job, runtime: Runtime) {
  const channels: Channel[] = [];
  const troubles: string[] = [];
  for (const definition of job.notify) {
    try {
      channels.push(await openChannel(definition, runtime));
    } catch (error) {
      troubles.push(troubleOf(definition.name, error));
    }
  }
  return { channels, troubles };
}

function tellEnd(channels: readonly Channel[], outcome: JobOutcome, watch: Watch, previous: JobStatistics | undefined) {
  const message = messageOfEnd(outcome, watch, previous);
  const last = previous?.lastRun?.status;
  const recovered = message.event === 'success' && (last === 'failed' || last === 'interrupted');
  return tellAll(channels, recovered ? asRecovery(message) : message, watch.runtime);
}

/** All at once; resolves with what went wrong. */
async function tellAll(channels: readonly Channel[], message: Message, runtime: Runtime): Promise<readonly string[]> {
  // Of a run that was terminated one must still be able to tell; whoever sends a second signal ends this too.
  const signal = runtime.signal.aborted ? undefined : runtime.signal;
  const told = channels.map((channel) =>
    tell(channel, message, runtime, signal).then(
      () => [],
      (error: unknown) => [troubleOf(channel.name, error)],
    ),
  );
  return (await Promise.all(told)).flat();
}

async function tell(channel: Channel, message: Message, runtime: Runtime, signal?: AbortSignal): Promise<void> {
  const memory = openMemory(runtime.stateFolder, channel.name, message.job);
  const before = await memory.recall();
  // Also after a run that someone stopped in between: who was told of trouble hears of its end.
  const fits = message.event === 'success' && before !== undefined ? asRecovery(message) : message;
  const isTrouble = fits.event === 'failure' || fits.event === 'warning';
  if (!channel.events.includes(fits.event)) {
    // The trouble is over, also for a channel that does not want to hear so: the next one is news again.
    if (fits.event === 'success' || fits.event === 'recovery') await memory.forget();
    return;
  }
  const ageMs = before === undefined ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(before.at);
  const isRepeated = before?.fingerprint === fingerprintOf(fits) && ageMs >= 0 && ageMs < channel.cooldownMs;
  if (isTrouble && isRepeated) return;
  await sendWithRetry(channel, fits, signal);
  // It was told; where that cannot be written down, it is told once more.
  if (isTrouble) await memory.remember(fits).catch(() => undefined);
  else if (fits.event !== 'start') await memory.forget();
}

function troubleOf(channel: string, error: unknown): string {
  return redact(`notification ${channel} was not sent: ${explain(error)}`);
}
