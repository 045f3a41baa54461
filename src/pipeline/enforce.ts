import { DbBackupError } from '../errors.ts';
import type { Measure, Stage } from './stage.ts';

export interface Expectation {
  /** For messages: `the decompressed dump`. */
  readonly what: string;
  readonly bytes?: number;
  /** Hex. */
  readonly sha256?: string;
  readonly maxBytes?: number;
}

export function enforce(_expectation: Expectation): Stage<Measure> {
  throw new DbBackupError('UNEXPECTED', 'not written yet');
}
