/** A private folder in the state folder for looks that are no executions: a doctor's, a dry run's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStateFolder } from '../state-folder.ts';

export interface PassingFolder {
  /** Made at the first call. */
  readonly open: () => Promise<string>;
  /** Removes it, where it was made. */
  readonly remove: () => Promise<void>;
}

export function passingFolder(stateFolder: string): PassingFolder {
  let made: Promise<string> | undefined;
  const make = async () => mkdtemp(join(await openStateFolder(stateFolder), 'passing-'));
  return {
    open: () => {
      made ??= make();
      return made;
    },
    remove: async () => {
      if (made !== undefined) await rm(await made, { recursive: true, force: true });
    },
  };
}
