/**
 * `tune`: a sample of the job's real dump through every codec, and what each would mean for the whole run.
 * Guarantees: the source is read once, as a run reads it; the sample lies in a private file of the execution's temporary
 * folder, of bounded size, and is removed in every case; nothing is stored anywhere else.
 */
import type { Job } from '../../config/config.ts';
import type { CompressionType } from '../../pipeline/compression/compression.ts';
import { defaultIdleTimeoutMs } from '../backup/backup.ts';
import { expectedTotal } from '../backup/expected-total.ts';
import { openDumpable } from '../backup/open-dumpable.ts';
import type { ProgressTotal } from '../event.ts';
import { type Execution, withExecution } from '../execution.ts';
import { openEncryption, openSource } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { candidates, nameOf } from './candidate.ts';
import {
  type Circumstances,
  type Forecast,
  forecast,
  type Preference,
  type Recommendation,
  recommend,
} from './forecast.ts';
import { openProcessorClock, type ProcessorClock } from './processor-time.ts';
import { type Sampled, type SampleWish, takeSample } from './take-sample.ts';
import { type NotTried, type Tried, tryCodec } from './try-codec.ts';

export interface TuneOptions extends SampleWish {
  /** Only these codecs, at every level; empty = the usual choice. */
  readonly codecs: readonly CompressionType[];
  readonly prefer: Preference;
  /** Bytes a second that the slowest destination takes, where it is known better than from the config. */
  readonly uploadRate?: number;
  /** For each candidate. */
  readonly patienceMs: number;
}

export interface Tuning {
  readonly executionId: string;
  readonly job: string;
  /** Bytes of the dump that were read, and kept. */
  readonly readBytes: number;
  readonly sampleBytes: number;
  /** The dump was read to its end. */
  readonly whole: boolean;
  readonly circumstances: Circumstances;
  /** `totalBytes` is not an estimate. */
  readonly exact: boolean;
  readonly forecasts: readonly Forecast[];
  readonly notTried: readonly NotTried[];
  readonly recommendation: Recommendation;
  /** What the job has is what is recommended. */
  readonly isCurrent: boolean;
}

export async function tune(job: Job, options: TuneOptions, runtime: Runtime): Promise<Tuning> {
  const subject = {
    kind: 'tune' as const,
    subject: job.name,
    job: job.name,
    idleTimeoutMs: job.timeouts.idleMs ?? defaultIdleTimeoutMs,
  };
  return withExecution(subject, runtime, async (execution) => {
    const encryptor =
      job.encryption && (await (await openEncryption(job.encryption, runtime)).encryptor(job.encryption.name));
    execution.step('inspect');
    const open = await openDumpable(job, await openSource(job.source, runtime), execution, runtime);
    const clock = await openProcessorClock(execution.signal);
    const expected = await expectedTotal({ job, inspection: open.inspection }, runtime);
    const sampled = await takeSample(open, options, expected, clock, execution);
    try {
      const results = await tryAll(job, options, sampled, encryptor, clock, execution);
      const value = conclude(job, options, { sampled, results, expected, clock }, execution);
      return { value, report: {} };
    } finally {
      await sampled.sample.close();
    }
  });
}

async function tryAll(
  job: Job,
  options: TuneOptions,
  { sample }: Sampled,
  encryptor: Parameters<typeof tryCodec>[1]['encryptor'],
  clock: ProcessorClock,
  execution: Execution,
): Promise<readonly (Tried | NotTried)[]> {
  const results: (Tried | NotTried)[] = [];
  const total: ProgressTotal = { bytes: sample.bytes, exact: true };
  const { signal } = execution;
  for (const candidate of candidates(job.compression, options.codecs)) {
    // Where one level was too slow or its program is missing, the stronger ones are, too.
    const weaker = results.find((each) => 'reason' in each && each.candidate.type === candidate.type);
    if (weaker && 'reason' in weaker) {
      results.push({ candidate, reason: weaker.reason });
      continue;
    }
    execution.step(nameOf(candidate));
    const onBytes = (raw: number, stored: number) => execution.progress(raw, stored, total);
    results.push(
      await tryCodec(candidate, { sample, encryptor, clock, patienceMs: options.patienceMs, signal, onBytes }),
    );
  }
  return results;
}

interface Measured {
  readonly sampled: Sampled;
  readonly results: readonly (Tried | NotTried)[];
  readonly expected?: ProgressTotal;
  readonly clock: ProcessorClock;
}

function conclude(job: Job, options: TuneOptions, measured: Measured, execution: Execution): Tuning {
  const { sampled, results, expected, clock } = measured;
  const { sample, whole } = sampled;
  const circumstances: Circumstances = {
    dumpRate: sample.seen / sampled.readingSeconds,
    dumpCost: sampled.processorSeconds / sample.seen,
    prepareSeconds: sampled.prepareSeconds,
    uploadRate: options.uploadRate ?? slowestLimit(job),
    free: clock.free,
    totalBytes: whole ? sample.seen : expected && Math.max(expected.bytes, sample.seen),
  };
  const forecasts = results.flatMap((each) => ('rate' in each ? [forecast(each, circumstances)] : []));
  const recommendation = recommend(forecasts, options.prefer);
  return {
    executionId: execution.id,
    job: job.name,
    readBytes: sample.seen,
    sampleBytes: sample.bytes,
    whole,
    circumstances,
    exact: whole || (expected?.exact ?? false),
    forecasts,
    notTried: results.flatMap((each) => ('reason' in each ? [each] : [])),
    recommendation,
    isCurrent: nameOf(recommendation.candidate) === nameOf(job.compression),
  };
}

function slowestLimit({ destinations }: Job): number | undefined {
  const limits = destinations.flatMap(({ limit }) => limit?.upload ?? []);
  return limits.length === 0 ? undefined : Math.min(...limits);
}
