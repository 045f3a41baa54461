import { DbBackupError } from '../../errors.ts';
import { blockIn, replaceBlock } from '../../schedule/crontab.ts';
import { readCrontab, writeCrontab } from './crontab-program.ts';
import type { SchedulePlan } from './schedule-plan.ts';

/** What it takes to have this block (undefined: none) in the user's crontab. Nothing is changed before `apply`. */
export async function planCrontab(
  configFile: string,
  block: string | undefined,
  signal: AbortSignal,
): Promise<SchedulePlan> {
  const before = await readCrontab(signal);
  const after = replaceBlock(before, configFile, block);
  return {
    place: 'the crontab',
    changes:
      before === after ? [] : [{ name: 'crontab', before: blockIn(before, configFile) ?? '', after: block ?? '' }],
    remarks: [],
    async apply() {
      // Somebody may have edited it while the question stood.
      if ((await readCrontab(signal)) !== before) {
        throw new DbBackupError('BUSY', 'the crontab was changed meanwhile, and is left alone', { hint: 'Try again.' });
      }
      await writeCrontab(after, signal);
    },
  };
}
