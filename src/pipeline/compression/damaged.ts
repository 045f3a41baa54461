import { DbBackupError } from '../../errors.ts';
import type { CompressionType } from './compression.ts';

/** INTEGRITY: what a decoder throws when its input is not one whole, undamaged file. */
export function damaged(type: CompressionType, detail: string, cause?: unknown): DbBackupError {
  return new DbBackupError('INTEGRITY', `the ${type} data is damaged: ${detail}`, {
    hint: 'This copy is damaged: restore from another destination or from another backup.',
    cause,
  });
}
