/** The commit: what lies at each destination is checked, then its sidecar is written, last. */
import { Readable } from 'node:stream';
import { DbBackupError, explain, wrapError } from '../../errors.ts';
import { type Sidecar, serializeSidecar, sidecarExtension } from '../../sidecar/sidecar.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenDestination } from '../storage/stored-backup.ts';
import type { DestinationOutcome } from './backup.ts';
import type { Transfer } from './transfer.ts';

/** Throws the first error when no destination could be committed. */
export async function publish(
  sidecar: Sidecar,
  key: string,
  moved: Transfer,
  destinations: readonly OpenDestination[],
  execution: Execution,
  runtime: Runtime,
): Promise<readonly DestinationOutcome[]> {
  const outcomes = await Promise.all(
    destinations.map(async (on, index): Promise<DestinationOutcome> => {
      const about = { name: on.name, label: on.destination.label, key };
      const put = moved.outcomes[index];
      if (put?.status !== 'fulfilled') return { ...about, status: 'failed', error: put?.error };
      try {
        await commit(sidecar, key, on, execution.signal);
        return { ...about, status: 'completed' };
      } catch (cause) {
        await withdraw(key, [on], execution);
        return {
          ...about,
          status: 'failed',
          error: wrapError(cause, 'DESTINATION_FAILED', `${on.name}: not published`),
        };
      }
    }),
  );
  for (const outcome of outcomes) record(outcome, sidecar, execution, runtime);
  const first = outcomes.find((each) => each.status === 'failed')?.error;
  if (outcomes.every((each) => each.status === 'failed')) throw first;
  return outcomes;
}

/**
 * Takes back data objects that did not become backups. The name is this run's alone, so nothing else can be hit; an
 * abort must not keep us from it, hence no signal.
 */
export async function withdraw(
  key: string,
  destinations: readonly OpenDestination[],
  execution: Execution,
): Promise<void> {
  for (const on of destinations) {
    try {
      if ((await on.destination.stat(key + sidecarExtension)) === undefined) await on.destination.delete(key);
    } catch (error) {
      execution.log('warning', `${on.name}: ${key} may be left there without a sidecar: ${explain(error)}`);
    }
  }
}

async function commit(sidecar: Sidecar, key: string, on: OpenDestination, signal: AbortSignal): Promise<void> {
  const { storedBytes, storedSha256 } = sidecar.artifact;
  const found = await on.destination.stat(key);
  if (found?.size !== storedBytes || (found.sha256 !== undefined && found.sha256 !== storedSha256)) {
    throw new DbBackupError(
      'DESTINATION_FAILED',
      `${on.name} holds other bytes than were sent: ${found?.size ?? 'none'} of ${storedBytes} bytes of ${key}`,
      { hint: 'Nothing was published there. The store lies or is broken: check it before you trust it again.' },
    );
  }
  signal.throwIfAborted();
  const content = serializeSidecar(sidecar);
  await on.destination.put(key + sidecarExtension, Readable.from([content], { objectMode: false }), {
    signal,
    estimatedBytes: content.length,
  });
}

function record(outcome: DestinationOutcome, sidecar: Sidecar, execution: Execution, runtime: Runtime): void {
  runtime.history.destinationResult(execution.id, {
    name: outcome.name,
    type: outcome.label,
    status: outcome.status,
    key: outcome.key,
    size: outcome.status === 'completed' ? sidecar.artifact.storedBytes : undefined,
    error: outcome.error === undefined ? undefined : explain(outcome.error),
  });
  if (outcome.status === 'failed') execution.log('warning', explain(outcome.error));
}
