import type { DbBackupError } from '../../errors.ts';
import { wrapError } from '../../errors.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import type { ContentDescription } from '../storage/describe-content.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import { type OpenContent, openContent, wholeContent } from './open-content.ts';

export interface ReadableBackup {
  readonly backup: StoredBackup;
  readonly content: ContentDescription;
}

/** Waits for the key to fit, so that a wrong one is told before the target is touched. A dry run reads no further. */
export async function openBackup(
  { backup, content }: ReadableBackup,
  dryRun: boolean,
  execution: Execution,
  runtime: Runtime,
): Promise<OpenContent | undefined> {
  if (dryRun && !content.encryption) return undefined;
  const open = await readBackup({ backup, content }, execution, runtime);
  if (!dryRun) return open;
  open.stream.destroy();
  return undefined;
}

/** Its content from the beginning, once a key has opened it. */
export async function readBackup(
  { backup, content }: ReadableBackup,
  execution: Execution,
  runtime: Runtime,
): Promise<OpenContent> {
  execution.step('read');
  const open = await openContent(backup, content, wholeContent, execution, runtime);
  try {
    await open.opened;
    return open;
  } catch (cause) {
    throw untouched(backup, cause);
  }
}

export function untouched(backup: StoredBackup, cause: unknown): DbBackupError {
  return wrapError(cause, 'TARGET_FAILED', `reading ${describeBackup(backup)} failed; the target was not touched`);
}
