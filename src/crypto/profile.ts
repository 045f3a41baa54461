/** An encryption profile of the config, and the adapter that opens it. */
import type { EncryptionProfileType } from '../config/catalog.ts';
import type { EncryptionType, Encryptor } from './encryption.ts';
import type { KeyRing } from './key-ring.ts';

export interface EncryptionProfile {
  /**
   * Encrypts one backup; `name` is the profile's name in the config, for the sidecar.
   * Throws CONFIG_INVALID when the profile holds only what is needed to read.
   */
  encryptor(name?: string): Promise<Encryptor>;
  /** What this profile can read with: current and previous keys. */
  readonly keys: KeyRing;
}

export interface EncryptionAdapter extends EncryptionProfileType {
  readonly type: EncryptionType;
  /**
   * Reads and checks the key material. `options` have passed the schema and hold resolved secrets; `baseFolder`: the
   * config file's folder, for relative key files. Throws CONFIG_INVALID, SECRET_UNAVAILABLE, KEY_FILE_UNSAFE.
   */
  open(options: unknown, baseFolder: string): Promise<EncryptionProfile>;
}
