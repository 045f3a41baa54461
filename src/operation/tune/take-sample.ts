/** Reads the job's real dump once, to its end or for a while, and keeps a sample of it. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import { formatBytes } from '../../value/figure.ts';
import type { Dumpable } from '../backup/open-dumpable.ts';
import type { ProgressTotal } from '../event.ts';
import type { Execution } from '../execution.ts';
import type { ProcessorClock } from './processor-time.ts';
import { SpreadSample } from './spread-sample.ts';

export interface SampleWish {
  /** Largest size of the sample. */
  readonly bytes: number;
  /** Of reading, from the first byte on; undefined = to the end. */
  readonly readingMs?: number;
}

export interface Sampled {
  readonly sample: SpreadSample;
  /** The dump was read to its end. */
  readonly whole: boolean;
  /** From the start of the tool to its first byte. */
  readonly prepareSeconds: number;
  /** From the first byte to the last that was read. */
  readonly readingSeconds: number;
  /** Of all processors, while it was read. */
  readonly processorSeconds: number;
}

/** The caller closes the sample. Its file is in the execution's temporary folder, and goes with it. */
export async function takeSample(
  open: Dumpable,
  wish: SampleWish,
  expected: ProgressTotal | undefined,
  clock: ProcessorClock,
  execution: Execution,
): Promise<Sampled> {
  const path = join(await execution.temporaryFolder(), 'sample');
  execution.log('info', `a sample of up to ${formatBytes(wish.bytes)} goes into ${path}, which is removed at the end`);
  const sample = await SpreadSample.create(path, wish.bytes);
  try {
    return { sample, ...(await readDump(open, sample, wish, expected, clock, execution)) };
  } catch (error) {
    await sample.close();
    throw error;
  }
}

async function readDump(
  open: Dumpable,
  sample: SpreadSample,
  { readingMs = Number.POSITIVE_INFINITY }: SampleWish,
  expected: ProgressTotal | undefined,
  clock: ProcessorClock,
  execution: Execution,
): Promise<Omit<Sampled, 'sample'>> {
  execution.step('sample');
  const started = performance.now();
  const { stream, totalBytes } = await open.dump(execution);
  const total = totalBytes === undefined ? expected : { bytes: totalBytes, exact: true };
  let first = started;
  let spent = clock.start();
  let whole = true;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (sample.seen === 0) [first, spent] = [performance.now(), clock.start()];
      await keep(sample, chunk);
      execution.progress(sample.seen, sample.bytes, total);
      whole = performance.now() - first < readingMs;
      if (!whole) break;
    }
  } catch (cause) {
    execution.signal.throwIfAborted();
    throw wrapError(cause, 'SOURCE_FAILED', `dump of ${open.identity.label} failed`);
  }
  const [processorSeconds, ended] = [spent(), performance.now()];
  await closed(stream);
  if (sample.seen === 0) {
    throw new DbBackupError('DUMP_EMPTY', `empty dump: ${open.identity.label} gave not one byte`, {
      hint: 'Check that the source names the right database.',
    });
  }
  return {
    whole,
    prepareSeconds: (first - started) / 1000,
    readingSeconds: Math.max(0.001, (ended - first) / 1000),
    processorSeconds,
  };
}

async function keep(sample: SpreadSample, chunk: Buffer): Promise<void> {
  try {
    await sample.add(chunk);
  } catch (cause) {
    throw new DbBackupError('DISK_FULL', 'the sample could not be written to the state folder', {
      cause,
      hint: 'Free some space there, take a smaller --sample, or set state.dir to another disk.',
    });
  }
}

/** Leaving a loop destroys its stream; the tool behind it needs a moment to go. Bounded: nothing more depends on it. */
async function closed(stream: NodeJS.EventEmitter & { readonly closed?: boolean }): Promise<void> {
  if (stream.closed) return;
  const given = new AbortController();
  const patience = delay(10_000, undefined, { signal: given.signal }).catch(() => undefined);
  await Promise.race([new Promise<void>((resolve) => stream.once('close', () => resolve())), patience]);
  given.abort();
}
