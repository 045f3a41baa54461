import type { EncryptionRecord } from './encryption.ts';

/** How to decrypt on a blank machine, for the sidecar's `recover` lines. */
export interface DecryptionStep {
  /** Debian packages that provide the programs. */
  readonly packages: readonly string[];
  /** What the person must bring along, as a sentence. */
  readonly needs: string;
  /** One shell command that decrypts the file `stored` to the file `plain`; both are shell-quoted paths. */
  command(stored: string, plain: string): string;
}

/** Only commands that write to a file after authentication: a pipe into `psql` would commit half. */
export function decryptionStep(record: EncryptionRecord): DecryptionStep {
  return record.type === 'age' ? ageStep(record) : aesStep(record);
}

function ageStep({ passphrase, recipients = [] }: EncryptionRecord): DecryptionStep {
  const identity = passphrase ? '' : '-i identity.txt ';
  return {
    packages: ['age'],
    needs: passphrase
      ? 'the passphrase (age asks for it)'
      : `identity.txt: the age identity of one of the recipients ${recipients.join(', ')}`,
    // age writes chunk by chunk and leaves the beginning of a damaged file behind: only success may give it its name.
    // Redirected, because age 1.1 with -o makes no file at all where the plaintext is empty.
    command: (stored, plain) => `age -d ${identity}${stored} > ${plain}.part && mv ${plain}.part ${plain}`,
  };
}

function aesStep({ passphrase, keyId }: EncryptionRecord): DecryptionStep {
  const secret = passphrase ? '--passphrase passphrase.txt' : '--key backup.key';
  return {
    packages: ['nodejs'],
    needs: passphrase
      ? 'decrypt.mjs (from dbbackup recovery-kit), and passphrase.txt: the passphrase'
      : `decrypt.mjs (from dbbackup recovery-kit), and backup.key: the key ${keyId ?? ''}`.trimEnd(),
    command: (stored, plain) => `node decrypt.mjs ${stored} ${plain} ${secret}`,
  };
}
