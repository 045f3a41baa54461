import { DbBackupError } from '../errors.ts';

/**
 * Whether anybody who was not there wants to hear of a failure: not of a run that found another at work (that one will
 * tell), nor of one that a person ended with Ctrl-C; of one that was terminated, yes.
 */
export function isWorthTelling(error: unknown): boolean {
  return !(error instanceof DbBackupError && (error.code === 'BUSY' || error.code === 'INTERRUPTED'));
}
