/** The encryption types a configuration may name. */
import type { EncryptionProfileType } from '../config/catalog.ts';
import { DbBackupError } from '../errors.ts';
import type { Decryptor, Encryptor } from './encryption.ts';
import type { KeyRing } from './key-ring.ts';

/** One encryption profile of the config, its key material read and checked. Nothing is contacted. */
export interface EncryptionProfile {
  /** An encryptor for one backup; `name` is the profile's name in the config. Throws CONFIG_INVALID when the profile can only read. */
  encryptor(name?: string): Promise<Encryptor>;
  /** What this profile can read with: current and previous keys. */
  readonly keys: KeyRing;
}

export interface EncryptionAdapter extends EncryptionProfileType {
  readonly type: 'age' | 'aes-256-gcm';
  /** `options` as parsed by the schema; `baseFolder`: the config file's folder, for relative key files. */
  open(options: unknown, baseFolder: string): Promise<EncryptionProfile>;
}

export const encryptionTypes: readonly EncryptionAdapter[] = [];

/** A decryptor over everything in the ring. */
export function openDecryptor(_ring: KeyRing): Decryptor {
  throw new DbBackupError('UNSUPPORTED', 'not there yet');
}
