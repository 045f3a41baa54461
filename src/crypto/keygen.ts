/** New keys. The secret goes to a file of its own (0600), never to the terminal and never over another file. */
import { randomBytes } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { DbBackupError, messageOf } from '../errors.ts';
import { registerSecret } from '../redact.ts';
import { keyId } from './aes-256-gcm/key-schedule.ts';
import { recipientFingerprint } from './fingerprint.ts';
import { generateSigningKey } from './signature/signing-key.ts';

export type KeyKind = 'age' | 'aes-256-gcm' | 'signing';

export interface GeneratedKey {
  readonly kind: KeyKind;
  /** Where the secret was written, 0600. */
  readonly file: string;
  /** What may be shown and goes into the config: `age1…`, or the public signing key. An AES key has none. */
  readonly publicPart: string | undefined;
  /** As in sidecars: of the recipient, the key's id, or the signing key's id. */
  readonly fingerprint: string;
}

interface NewKey {
  readonly secret: string;
  readonly publicPart?: string;
  readonly fingerprint: string;
}

/** Makes a key and writes it to `file`. Throws USAGE when the file exists or cannot be written. */
export async function generateKey(kind: KeyKind, file: string): Promise<GeneratedKey> {
  const { publicPart, fingerprint, write } = await draftKey(kind);
  await write(file);
  return { kind, file, publicPart, fingerprint };
}

/** A key that lies nowhere yet, for whoever has to show its public part before anything is written. */
export async function draftKey(kind: KeyKind) {
  const key = await makers[kind]();
  registerSecret(key.secret);
  return {
    publicPart: key.publicPart,
    fingerprint: key.fingerprint,
    write: (file: string) => writeKeyFile(file, keyFileText(kind, key)),
  };
}

const makers: Record<KeyKind, () => Promise<NewKey>> = {
  async age() {
    const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
    const secret = await generateX25519Identity();
    const recipient = await identityToRecipient(secret);
    return { secret, publicPart: recipient, fingerprint: recipientFingerprint(recipient) };
  },
  async 'aes-256-gcm'() {
    const key = randomBytes(32);
    return { secret: key.toString('hex'), fingerprint: keyId(key).toString('hex') };
  },
  async signing() {
    return generateSigningKey();
  },
};

/** The text of a key file: comments, then the secret on a line of its own. */
export function keyFileText(kind: KeyKind, { secret, publicPart, fingerprint }: NewKey): string {
  const shown = publicPart === undefined ? '' : `# ${kind === 'age' ? 'public key' : 'public'}: ${publicPart}\n`;
  return `# dbbackup ${kind} key\n# created: ${new Date().toISOString()}\n${shown}# fingerprint: ${fingerprint}\n${secret}\n`;
}

const refusals: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  EEXIST: {
    reason: 'the file exists, and keys are never overwritten',
    hint: 'Name another file. Move the old one away only when no backup needs its key any more.',
  },
  ENOENT: { reason: 'its folder does not exist', hint: 'Make the folder first (mkdir -p -m 700), or name another.' },
  ENOTDIR: { reason: 'a part of its path is no folder', hint: 'Name a file in a folder that exists.' },
  EACCES: { reason: 'you may not write there', hint: 'Name a file in a folder of your own.' },
  EROFS: { reason: 'nothing can be written there', hint: 'Name a file in a folder of your own.' },
};

/** A new file, 0600, on disk when this returns. Throws USAGE. */
export async function writeKeyFile(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const { reason, hint } = refusals[cause.code ?? ''] ?? { reason: messageOf(cause) };
    throw new DbBackupError('USAGE', `key file ${path} cannot be made: ${reason}`, { hint, cause });
  });
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (cause) {
    await unlink(path);
    throw new DbBackupError('USAGE', `key file ${path} cannot be written: ${messageOf(cause)}`, { cause });
  } finally {
    await file.close();
  }
}
