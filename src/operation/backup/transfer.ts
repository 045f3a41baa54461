/** The streaming part of a backup: the dump through its stages to every destination at once. */
import type { EncryptionRecord } from '../../crypto/encryption.ts';
import type { StoredObject } from '../../destination/destination.ts';
import { DbBackupError, explain, wrapError } from '../../errors.ts';
import { codecs } from '../../pipeline/compression/all.ts';
import { meter } from '../../pipeline/meter.ts';
import { runPipeline, type Sink, type SinkOutcome } from '../../pipeline/run.ts';
import type { Measure, Stage } from '../../pipeline/stage.ts';
import type { SidecarMember } from '../../sidecar/sidecar.ts';
import type { DatabaseContents } from '../../source/source.ts';
import type { ProgressTotal } from '../event.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenDestination } from '../storage/stored-backup.ts';
import type { OpenJob } from './backup.ts';
import type { JobDump } from './open-dumpable.ts';

export interface Transfer {
  readonly raw: Measure;
  readonly stored: Measure;
  readonly encryption?: EncryptionRecord;
  readonly contents: readonly DatabaseContents[];
  /** Of a bundle. */
  readonly members?: readonly SidecarMember[];
  /** In the job's order; at least one has succeeded. */
  readonly outcomes: readonly SinkOutcome<StoredObject>[];
}

/** Throws when the dump or a stage failed, or every destination did; then nothing is visible anywhere under `key`. */
export async function transfer(
  open: OpenJob,
  key: string,
  expected: ProgressTotal | undefined,
  execution: Execution,
  runtime: Runtime,
): Promise<Transfer> {
  const stages = await openStages(open, execution.signal);
  execution.step('dump');
  const dump = await startDump(open, execution).catch((error) => {
    for (const stage of [stages.compress, stages.encrypt]) stage?.stream.destroy();
    throw error;
  });
  const total = dump.totalBytes === undefined ? expected : { bytes: dump.totalBytes, exact: true };
  const seen = { raw: 0, stored: 0 };
  const told = (change: Partial<typeof seen>) => {
    Object.assign(seen, change);
    execution.progress(seen.raw, seen.stored, total);
  };
  const raw = meter('meter:raw', { onBytes: (bytes) => told({ raw: bytes }) });
  const stored = meter('meter:stored', {
    onBytes: (bytes) => told({ stored: bytes }),
    measured: stages.encrypt?.sealed,
  });
  const outcomes = await runPipeline({
    source: dump.stream,
    stages: [raw, stages.compress, ...(stages.encrypt ? [stages.encrypt] : []), stored],
    sinks: open.destinations.map((on) => putSink(on, key, estimateStored(total, open), execution, runtime)),
    signal: execution.signal,
  });
  if (raw.result().bytes === 0) {
    throw new DbBackupError('DUMP_EMPTY', `empty dump: ${open.identity.label} gave not one byte`, {
      hint: 'Nothing was published. Check that the source names the right database.',
    });
  }
  return {
    raw: raw.result(),
    stored: stored.result(),
    encryption: stages.encrypt?.result(),
    contents: await dump.contents(),
    members: dump.members?.(),
    outcomes,
  };
}

async function openStages(open: OpenJob, signal: AbortSignal) {
  const { type, level } = open.job.compression;
  const compress: Stage = {
    name: 'compress',
    stream: await codecs[type].compress(level, signal),
    result: () => undefined,
  };
  return { compress, encrypt: await open.encryptor?.encrypt() };
}

async function startDump(open: OpenJob, execution: Execution): Promise<JobDump> {
  try {
    return await open.dump(execution);
  } catch (cause) {
    throw wrapError(cause, 'SOURCE_FAILED', `dump of ${open.identity.label} failed`);
  }
}

function putSink(
  on: OpenDestination,
  key: string,
  estimatedBytes: number | undefined,
  execution: Execution,
  runtime: Runtime,
): Sink<StoredObject> {
  return {
    name: on.name,
    async consume(stream, signal) {
      const type = on.destination.label;
      runtime.history.destinationResult(execution.id, { name: on.name, type, status: 'running', key });
      try {
        return await on.destination.put(key, stream, { signal, estimatedBytes });
      } catch (cause) {
        runtime.history.destinationResult(execution.id, {
          name: on.name,
          type,
          status: 'failed',
          key,
          error: explain(cause),
        });
        throw wrapError(cause, 'DESTINATION_FAILED', `upload of ${key} to ${on.name} failed`);
      }
    },
  };
}

/** Uncompressed data fills what it measures; for the rest a quarter is a cautious guess at what certainly arrives. */
function estimateStored(total: ProgressTotal | undefined, open: OpenJob): number | undefined {
  if (!total) return undefined;
  return open.job.compression.type === 'none' ? total.bytes : Math.round(total.bytes / 4);
}
