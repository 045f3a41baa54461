import { DbBackupError } from '../../errors.ts';

export interface RecoveryKitOptions {
  /** 32-byte keys to put in, one file each (0600); none = the kit holds no secret. */
  readonly includeKeys?: readonly Buffer[];
}

/** Writes a new folder (0700) with `decrypt.mjs`, a README and, if wanted, keys. Returns the files written. Refuses an existing folder. */
export async function writeRecoveryKit(folder: string, _options: RecoveryKitOptions = {}): Promise<readonly string[]> {
  throw new DbBackupError('UNSUPPORTED', `not there yet: ${folder}`);
}
