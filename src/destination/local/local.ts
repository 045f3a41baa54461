/** The kind `local` of the destinations. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { DestinationType } from '../destination.ts';
import { LocalDestination } from './local-destination.ts';
import { localSetup } from './setup.ts';

const options = z.strictObject({
  /** A folder, made when missing. Relative to the config file; `~` is the home of the user that runs dbbackup. */
  path: z.string().min(1),
});

export type LocalOptions = z.infer<typeof options>;

export const localType: DestinationType<LocalOptions> = {
  type: 'local',
  options,
  open: (given, baseFolder) => new LocalDestination(rootOf(given, baseFolder), given.path),
  setup: localSetup,
};

/** The absolute folder that the options mean. */
export function rootOf({ path }: LocalOptions, baseFolder: string): string {
  return resolve(baseFolder, path.replace(/^~(?=\/|$)/, homedir));
}
