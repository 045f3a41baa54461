import type { Readable } from 'node:stream';
import { DbBackupError } from '../errors.ts';
import type { Stage } from './stage.ts';

/** Where the bytes of a run end up. */
export interface Sink<R> {
  readonly name: string;
  /** Reads `stream` to its end and resolves; anything else is a failure. An errored stream must never be published. */
  consume(stream: Readable, signal: AbortSignal): Promise<R>;
}

export type SinkOutcome<R> =
  | { readonly name: string; readonly status: 'fulfilled'; readonly value: R }
  | { readonly name: string; readonly status: 'rejected'; readonly error: unknown };

export interface PipelineRun<R> {
  readonly source: Readable;
  readonly stages: readonly Stage[];
  readonly sinks: readonly Sink<R>[];
  readonly signal: AbortSignal;
}

export async function runPipeline<R>(_run: PipelineRun<R>): Promise<readonly SinkOutcome<R>[]> {
  throw new DbBackupError('UNEXPECTED', 'not written yet');
}

export function readThrough(_way: Omit<PipelineRun<never>, 'sinks'>): Readable {
  throw new DbBackupError('UNEXPECTED', 'not written yet');
}
