/**
 * Runs one stream from a source through stages into several sinks.
 * Guarantees: bounded memory (the slowest living sink holds everybody back); a sink that fails is dropped and hurts no
 * other; when the source or a stage fails, or the run is aborted, every sink's stream *errors* and never ends; the run
 * rejects with the error that came first, after every stream is closed and every sink has settled.
 * Refuses: a sink that resolves before it has read the end of its stream; a run without sinks.
 */
import type { Readable } from 'node:stream';
import { DbBackupError } from '../errors.ts';
import { Flow, type FlowInput } from './flow.ts';

/** Where the bytes of a run end up. */
export interface Sink<R> {
  readonly name: string;
  /**
   * Reads `stream` to its end and resolves; anything else is a failure. An errored stream must never be published.
   * `signal` is aborted with the first error as soon as the run has failed: settle then, after your own clean-up.
   */
  consume(stream: Readable, signal: AbortSignal): Promise<R>;
}

export type SinkOutcome<R> =
  | { readonly name: string; readonly status: 'fulfilled'; readonly value: R }
  | { readonly name: string; readonly status: 'rejected'; readonly error: unknown };

export interface PipelineRun<R> extends FlowInput {
  readonly sinks: readonly Sink<R>[];
}

/**
 * Outcomes in the order of the sinks, at least one of them fulfilled. Rejects with the first error: a stage's wrapped
 * as `<stage> failed: …`; the source's and the signal's reason as they are; the first sink's when all of them failed.
 */
export async function runPipeline<R>(run: PipelineRun<R>): Promise<readonly SinkOutcome<R>[]> {
  if (run.sinks.length === 0) throw new DbBackupError('UNEXPECTED', 'a pipeline was started without a sink');
  const flow = new Flow(run, run.sinks.length);
  const failures: unknown[] = [];
  const outcomes = await Promise.all(
    flow.branches.map(async (branch, index) => {
      const outcome = await deliver(run.sinks[index] as Sink<R>, branch, flow.signal);
      if (outcome.status === 'rejected') failures.push(outcome.error);
      if (failures.length === run.sinks.length) flow.fail(failures[0]);
      return outcome;
    }),
  );
  await flow.close();
  return outcomes;
}

/**
 * The way back: a readable of the last stage's output. An error anywhere destroys it with the first error, so that it
 * never ends; destroying it destroys everything upstream, the source too.
 */
export function readThrough(way: FlowInput): Readable {
  const flow = new Flow(way, 1);
  const [output] = flow.branches as [Readable];
  output.once('close', () => {
    if (!output.readableEnded) flow.fail(output.errored ?? new DbBackupError('PIPELINE_FAILED', 'the reader gave up'));
    // The reader has learned of the failure from the stream itself.
    flow.close().catch(() => {});
  });
  return output;
}

async function deliver<R>(sink: Sink<R>, branch: Readable, signal: AbortSignal): Promise<SinkOutcome<R>> {
  const { name } = sink;
  try {
    const value = await sink.consume(branch, signal);
    if (!branch.readableEnded)
      throw new DbBackupError('PIPELINE_FAILED', `${name} stopped before the end of the stream`);
    return { name, status: 'fulfilled', value };
  } catch (error) {
    // Without an error: the sink already knows. The fan-out goes on without it.
    branch.destroy();
    return { name, status: 'rejected', error };
  }
}
