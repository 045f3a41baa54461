import { DbBackupError } from '../errors.ts';
import type { Measure, Stage } from './stage.ts';

/** `onBytes` gets the total so far, once per chunk. */
export function meter(_name: string, _onBytes?: (total: number) => void): Stage<Measure> {
  throw new DbBackupError('UNEXPECTED', 'not written yet');
}
