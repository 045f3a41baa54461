import { DbBackupError } from '../../errors.ts';

/** An RDB file that is not whole. */
export function damaged(how: string): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', `the RDB file ${how}`, {
    hint: 'It is incomplete or damaged: run the backup again, or take another one.',
  });
}
