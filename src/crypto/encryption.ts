/**
 * Contract of an encrypted stream format. Compression comes first, encryption second.
 * Guarantees: a reader releases no byte before it is authenticated; truncation, reordering, extension and bit flips
 * are all refused (INTEGRITY); a wrong key (WRONG_KEY) is told from a damaged file before any payload is read.
 * Refuses: to fall back to plaintext, ever.
 */
import type { Duplex } from 'node:stream';
import type { Measure, Stage } from '../pipeline/stage.ts';

export type EncryptionType = 'age' | 'aes-256-gcm';

/** By what the name of a file ends in. */
export const encryptionByExtension: Readonly<Record<string, EncryptionType>> = { '.age': 'age', '.enc': 'aes-256-gcm' };

/** What the sidecar records of an encryption: for the reader's convenience and to pin the header; no key, no recipient. */
export interface EncryptionRecord {
  readonly type: EncryptionType;
  /** Name of the profile in the config. */
  readonly profile?: string;
  /** `age`: fingerprints of the recipients. */
  readonly recipients?: readonly string[];
  /** `aes-256-gcm` with a raw key: hex key id. */
  readonly keyId?: string;
  /** `aes-256-gcm`: hex. */
  readonly salt?: string;
  /** True when a passphrase, not a key, opens the file. */
  readonly passphrase?: boolean;
  /** Hex sha256 of the encryption header as stored in the file. */
  readonly headerSha256: string;
}

/** Encrypts one file. */
export interface EncryptStage extends Stage<EncryptionRecord> {
  /** Of what comes out, hashed where it was sealed: reading it once more would cost as much again. After the end. */
  sealed(): Measure;
}

/** An encryption profile, opened: its key or recipients are loaded and checked. Serves one backup. */
export interface Encryptor {
  readonly type: EncryptionType;
  readonly extension: '.age' | '.enc';
  encrypt(): Promise<EncryptStage>;
}

/** Takes the stored bytes and gives the plaintext. */
export interface Decryption extends Duplex {
  /**
   * Resolves once the header is authenticated with one of our keys (nothing of the payload has been released by then);
   * rejects with the stream's own error otherwise. May be ignored.
   */
  readonly opened: Promise<void>;
}

/** The keys at hand for reading, from `--identity`, the config's profiles or a prompt. */
export interface Decryptor {
  /**
   * A stream that takes the stored bytes and gives the plaintext. With `pinned` (from the sidecar) the header must be
   * the recorded one. Finds the right key by its id, without trying the payload.
   */
  decrypt(type: EncryptionType, pinned: EncryptionRecord | undefined): Promise<Decryption>;
}
