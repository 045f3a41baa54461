/**
 * The keys at hand for reading: from the config's profiles, from `--identity`, from a prompt. Several may be given;
 * the readers find the right one by its id, so that backups outlive a rotation of keys.
 */
import { registerSecret } from '../redact.ts';

/** A passphrase, or where to get one; asked at most once, and only when a file needs it. */
export type PassphraseSource = string | (() => Promise<string>);

export interface KeyRing {
  /** `AGE-SECRET-KEY-1…`. */
  readonly identities: readonly string[];
  /** 32 bytes each. */
  readonly keys: readonly Buffer[];
  /** Tried in this order: put prompts last. */
  readonly passphrases: readonly PassphraseSource[];
  /** Why keys that should be here are not: told when none of the others fits. */
  readonly missing?: readonly unknown[];
}

export const emptyKeyRing: KeyRing = { identities: [], keys: [], passphrases: [] };

export function joinKeyRings(...rings: readonly KeyRing[]): KeyRing {
  return {
    identities: [...new Set(rings.flatMap((ring) => ring.identities))],
    keys: rings.flatMap((ring) => ring.keys),
    passphrases: rings.flatMap((ring) => ring.passphrases),
    missing: rings.flatMap((ring) => ring.missing ?? []),
  };
}

/** The same ring, with every prompt asked once at most however many files are read. */
export function askingOnce(ring: KeyRing): KeyRing {
  return {
    ...ring,
    passphrases: ring.passphrases.map((source) => (typeof source === 'string' ? source : once(source))),
  };
}

function once(ask: () => Promise<string>): () => Promise<string> {
  let answer: Promise<string> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

/** Asks the source, and registers the answer as a secret. */
export async function resolvePassphrase(source: PassphraseSource): Promise<string> {
  const passphrase = typeof source === 'string' ? source : await source();
  registerSecret(passphrase);
  return passphrase;
}
