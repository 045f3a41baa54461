/** One candidate against the sample, through the stages of a real run: meter, codec, encryption, meter. */
import type { Readable } from 'node:stream';
import type { Encryptor } from '../../crypto/encryption.ts';
import { DbBackupError, explain } from '../../errors.ts';
import { codecs } from '../../pipeline/compression/all.ts';
import { meter } from '../../pipeline/meter.ts';
import { runPipeline } from '../../pipeline/run.ts';
import type { Stage } from '../../pipeline/stage.ts';
import type { Candidate } from './candidate.ts';
import type { ProcessorClock } from './processor-time.ts';
import type { SpreadSample } from './spread-sample.ts';

/** A small sample is gone through again until then: shorter times say nothing. The quickest time counts. */
const leastSeconds = 0.2;
/** What takes longer needs no second look, for it is no rival. */
const longSeconds = 2;

export interface Tried {
  readonly candidate: Candidate;
  /** Raw bytes a second. */
  readonly rate: number;
  /** Stored bytes a raw byte. */
  readonly share: number;
  /** Processor seconds a raw byte. */
  readonly cost: number;
}

/** Why a candidate has no figures. */
export interface NotTried {
  readonly candidate: Candidate;
  readonly reason: string;
}

export interface Trial {
  readonly sample: SpreadSample;
  readonly encryptor?: Encryptor;
  readonly clock: ProcessorClock;
  /** A candidate that is not through by then is given up. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  onBytes(raw: number, stored: number): void;
}

export async function tryCodec(candidate: Candidate, trial: Trial): Promise<Tried | NotTried> {
  const patience = AbortSignal.timeout(trial.patienceMs);
  const signal = AbortSignal.any([trial.signal, patience]);
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let best: Tried | undefined;
  try {
    for (
      let passes = 0;
      passes === 0 || elapsed() < leastSeconds || (passes < 2 && elapsed() < longSeconds);
      passes += 1
    ) {
      const pass = await once(candidate, trial, signal);
      if (best === undefined || pass.rate > best.rate) best = pass;
    }
  } catch (error) {
    trial.signal.throwIfAborted();
    if (patience.aborted) return { candidate, reason: `not through after ${Math.round(elapsed())} s` };
    const missing = error instanceof DbBackupError && error.code === 'TOOL_MISSING';
    if (missing) return { candidate, reason: `${explain(error)}. ${error.hint ?? ''}` };
    throw error;
  }
  return best as Tried;
}

async function once(candidate: Candidate, trial: Trial, signal: AbortSignal): Promise<Tried> {
  const { sample, encryptor, clock, onBytes } = trial;
  const { type, level } = candidate;
  const [started, spent] = [performance.now(), clock.start()];
  let [rawSoFar, storedSoFar] = [0, 0];
  const raw = meter('meter:raw', {
    onBytes(bytes) {
      rawSoFar = bytes;
      onBytes(rawSoFar, storedSoFar);
    },
  });
  const stream = await codecs[type].compress(level, signal);
  const compress: Stage = { name: `compress with ${type}`, stream, result: () => undefined };
  const encrypt = await encryptor?.encrypt();
  const stored = meter('meter:stored', {
    onBytes(bytes) {
      storedSoFar = bytes;
    },
    measured: encrypt?.sealed,
  });
  await runPipeline({
    source: sample.read(),
    stages: [raw, compress, ...(encrypt ? [encrypt] : []), stored],
    sinks: [{ name: 'nowhere', consume: drain }],
    signal,
  });
  const { bytes } = raw.result();
  const seconds = (performance.now() - started) / 1000;
  return { candidate, rate: bytes / seconds, share: stored.result().bytes / bytes, cost: spent() / bytes };
}

async function drain(stream: Readable): Promise<void> {
  for await (const _ of stream);
}
