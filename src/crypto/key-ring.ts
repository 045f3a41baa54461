/**
 * The keys at hand for reading: from the config's profiles, from `--identity`, from a prompt. Several may be given;
 * the readers find the right one by its id, so that backups outlive a rotation of keys.
 */

/** A passphrase, or where to get one; asked at most once, and only when a file needs it. */
export type PassphraseSource = string | (() => Promise<string>);

export interface KeyRing {
  /** `AGE-SECRET-KEY-1…`. */
  readonly identities: readonly string[];
  /** 32 bytes each. */
  readonly keys: readonly Buffer[];
  /** Tried in this order: put prompts last. */
  readonly passphrases: readonly PassphraseSource[];
}

export const emptyKeyRing: KeyRing = { identities: [], keys: [], passphrases: [] };

export function joinKeyRings(...rings: readonly KeyRing[]): KeyRing {
  return {
    identities: [...new Set(rings.flatMap((ring) => ring.identities))],
    keys: rings.flatMap((ring) => ring.keys),
    passphrases: rings.flatMap((ring) => ring.passphrases),
  };
}
