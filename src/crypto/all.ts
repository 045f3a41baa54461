/** The encryption types a configuration may name. */
import { aesAdapter } from './aes-256-gcm/profile.ts';
import { ageAdapter } from './age/profile.ts';
import type { EncryptionAdapter } from './profile.ts';

export { openDecryptor } from './decryptor.ts';
export type { EncryptionAdapter, EncryptionProfile } from './profile.ts';

export const encryptionTypes: readonly EncryptionAdapter[] = [ageAdapter, aesAdapter];
