import { DbBackupError, wrapError } from '../errors.ts';
import type { KeyRing } from './key-ring.ts';

export type KeyWord = 'key' | 'identity' | 'passphrase';

/** The plural, which is also the ring's name for them. */
const plural = { key: 'keys', identity: 'identities', passphrase: 'passphrases' } as const;
const hints: Readonly<Record<KeyWord, string>> = {
  key: 'Give the right key file with --identity, or add the old key to previousKeys of the encryption profile.',
  identity: 'Give the right identity file with --identity; dbbackup show names the recipients it was encrypted for.',
  passphrase:
    'Give the right passphrase in an encryption profile of the config (passphrase, previousPassphrases), or on a terminal, where dbbackup asks for it.',
};

/** Nothing was tried, because nobody gave a key: that says as little about the backup as about the key. */
export class NoKeyGiven extends DbBackupError {}

/**
 * WRONG_KEY: `<needed>; <what was tried>`. Where nothing could be tried because a profile could not be opened, that is
 * the failure, under its own code.
 */
export function wrongKey(needed: string, what: KeyWord, ring: KeyRing): DbBackupError {
  const tried = ring[plural[what]].length;
  const [missing] = ring.missing ?? [];
  if (tried === 0 && missing !== undefined) {
    return wrapError(missing, 'SECRET_UNAVAILABLE', `${needed}; no ${what} could be had`);
  }
  const others = otherKinds(ring);
  const found =
    tried === 0
      ? `no ${what} was given${others}`
      : tried === 1
        ? `the ${what} at hand does not open it`
        : `none of the ${tried} ${plural[what]} at hand opens it`;
  const Kind = tried === 0 && others === '' ? NoKeyGiven : DbBackupError;
  return new Kind('WRONG_KEY', `${needed}; ${found}`, { hint: hints[what], cause: missing });
}

/** Who gives the wrong kind of key has given something. A prompt is no passphrase yet. */
function otherKinds({ keys, identities, passphrases }: KeyRing): string {
  const given = [
    keys.length > 0 ? 'an AES key' : '',
    identities.length > 0 ? 'an age identity (AGE-SECRET-KEY-1…)' : '',
    passphrases.some((each) => typeof each === 'string') ? 'a passphrase' : '',
  ].filter((kind) => kind !== '');
  return given.length === 0 ? '' : `, only ${given.join(' and ')}, which is another kind of key`;
}
