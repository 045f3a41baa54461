/**
 * Contract of a pipeline stage: bytes in, bytes out, and a result with a name of its own once the last byte has passed.
 * A stage that throws or whose stream errors fails the run; there is no fallback.
 */
import type { Duplex } from 'node:stream';

export interface Stage<Result = unknown> {
  /** `meter:raw`, `compress`, `encrypt`, … as shown in messages ("compress failed: …"). */
  readonly name: string;
  readonly stream: Duplex;
  /** Called after the stream has ended; before that it throws. */
  result(): Result;
}

/** What a meter has seen so far, or of the whole stream once it has ended. */
export interface Measure {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}
