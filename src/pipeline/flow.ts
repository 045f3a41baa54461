import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, wrapError } from '../errors.ts';
import { FanOut } from './fan-out.ts';
import type { Stage } from './stage.ts';

/** What flows: the source, the stages in their order, and the signal that stops it all. */
export interface FlowInput {
  readonly source: Readable;
  readonly stages: readonly Stage[];
  readonly signal: AbortSignal;
}

/**
 * The source, flowing through the stages into a number of branches. Whatever fails first (source, stage, signal, or
 * `fail`) ends everything: the branches error with it, source and stages are destroyed, `signal` is aborted.
 */
export class Flow {
  readonly branches: readonly Readable[];
  readonly #fanOut: FanOut;
  readonly #streams: readonly Readable[];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #input: AbortSignal;
  readonly #abort: () => void;
  #failure: { readonly error: unknown } | undefined;

  constructor({ source, stages, signal }: FlowInput, branchCount: number) {
    // Every destination waits for it, some with several requests at a time.
    setMaxListeners(0, this.#stop.signal);
    this.#fanOut = new FanOut(branchCount);
    this.branches = this.#fanOut.branches;
    this.#streams = [source, ...stages.map((stage) => stage.stream)];
    // Our listeners stand before pipeline's own: the culprit speaks before the others are destroyed with its error.
    source.on('error', (error) => isEcho(error) || this.fail(error));
    for (const stage of stages) stage.stream.on('error', (error) => isEcho(error) || this.fail(named(stage, error)));
    // A program may have died while the others were still being opened.
    const dead = stages.find((stage) => stage.stream.errored);
    if (dead) this.fail(named(dead, dead.stream.errored));
    this.#ended = pipeline([...this.#streams, this.#fanOut]).catch((error) => this.fail(brokenOff(error)));
    this.#abort = () => this.fail(signal.reason);
    this.#input = signal;
    if (signal.aborted) this.#abort();
    signal.addEventListener('abort', this.#abort);
  }

  /** Aborted with the first error. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Only the first call counts. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stop.abort(error);
    this.#fanOut.fail(error instanceof Error ? error : new Error(messageOf(error)));
  }

  /**
   * To be called when every branch has been read or given up. Resolves when all has flowed; rejects with the first
   * error once the source and every stage are closed.
   */
  async close(): Promise<void> {
    await this.#ended;
    this.#input.removeEventListener('abort', this.#abort);
    if (this.#failure === undefined) return;
    await Promise.all(this.#streams.map(closed));
    throw this.#failure.error;
  }
}

/** Errors by which a stream says that another one went first. */
function isEcho(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ABORT_ERR';
}

function named(stage: Stage, error: unknown): Error {
  return wrapError(error, 'PIPELINE_FAILED', `${stage.name} failed: ${messageOf(error)}`);
}

/** Reached first only when a stream closed without an error, or had failed before the flow began. */
function brokenOff(error: NodeJS.ErrnoException): Error {
  return isEcho(error) ? wrapError(error, 'PIPELINE_FAILED', 'the stream was closed before its end') : error;
}

async function closed(stream: Readable): Promise<void> {
  stream.destroy();
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
}
