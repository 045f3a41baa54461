import { DbBackupError } from '../../errors.ts';
import { askWorker } from './ask-worker.ts';
import type { CheckAnswer } from './worker-task.ts';

/** `PRAGMA integrity_check` of a file that is ours alone, and what is inside. Throws DUMP_INCOMPLETE. */
export async function assertWhole(path: string, what: string, signal: AbortSignal): Promise<CheckAnswer> {
  const answer = await askWorker({ task: 'check', path }, { signal });
  if (answer.problems.length === 0) return answer;
  throw new DbBackupError('DUMP_INCOMPLETE', `integrity_check of ${what} failed: ${answer.problems.join('; ')}`, {
    hint: 'The database is damaged. Nothing was published or replaced; take an older backup, or repair the database.',
  });
}
