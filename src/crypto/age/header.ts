/**
 * age v1 headers (C2SP age.md), made and opened by the package age-encryption; the payload is ours, because the
 * package's own cipher is pure JavaScript.
 */
import { DbBackupError } from '../../errors.ts';
import { damaged } from '../chunk/opening-stream.ts';
import type { KeyRing } from '../key-ring.ts';
import { wrongKey } from '../wrong-key.ts';
import { scryptIdentity, scryptRecipient } from './scrypt-stanza.ts';

export type AgeSecret = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** Bytes; room for some 600 recipients. */
export const headerLimit = 64 * 1024;
export const fileKeySize = 16;

const firstLine = Buffer.from('age-encryption.org/v1\n');
/** A header is printable ASCII: a damaged last line is seen here, not after 64 KiB of payload. */
const notText = /[^\n\x20-\x7e]/;
const emptyPayloadSize = 16 + 16;

export interface SealedHeader {
  /** Through the newline after the MAC. */
  readonly header: Buffer;
  /** 16 bytes. */
  readonly fileKey: Buffer;
}

export async function sealHeader(secret: AgeSecret, workFactor: number): Promise<SealedHeader> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  let noted = Buffer.alloc(0);
  // A recipient that adds no stanza and only notes the file key for our own payload.
  encrypter.addRecipient({
    wrapFileKey(fileKey) {
      noted = Buffer.from(fileKey);
      return [];
    },
  });
  if ('passphrase' in secret) encrypter.addRecipient(scryptRecipient(secret.passphrase, workFactor));
  else for (const recipient of secret.recipients) encrypter.addRecipient(recipient);
  const file = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
  const header = file.subarray(0, -emptyPayloadSize);
  if (header.length <= headerLimit) return { header, fileKey: noted };
  throw new DbBackupError(
    'LIMIT_EXCEEDED',
    `the age header for so many recipients is larger than ${headerLimit} bytes`,
  );
}

/** Length of the header that `head` starts with; undefined when more bytes are needed. Throws when it is none. */
export function measureHeader(head: Buffer): number | undefined {
  assertFirstLine(head);
  const macLine = head.indexOf('\n---');
  const end = macLine < 0 ? -1 : head.indexOf('\n', macLine + 1);
  if (notText.test(head.toString('latin1', 0, end < 0 ? head.length : end))) throw damaged('damaged in its header');
  if (end < 0 ? head.length > headerLimit : end >= headerLimit) {
    throw new DbBackupError('LIMIT_EXCEEDED', `the age header is larger than ${headerLimit} bytes`);
  }
  return end < 0 ? undefined : end + 1;
}

/** The file key; `recipients`: fingerprints, for the message. Throws WRONG_KEY, INTEGRITY, LIMIT_EXCEEDED. */
export async function openHeader(header: Buffer, ring: KeyRing, recipients: readonly string[] = []): Promise<Buffer> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of ring.identities) decrypter.addIdentity(identity);
  decrypter.addIdentity(scryptIdentity(ring.passphrases));
  try {
    return Buffer.from(await decrypter.decryptHeader(header));
  } catch (cause) {
    if (cause instanceof DbBackupError) throw cause;
    if (isNoMatch(cause)) {
      if (header.includes('\n-> scrypt '))
        throw wrongKey('the backup was encrypted with a passphrase', 'passphrase', ring);
      const whom = recipients.length > 0 ? ` for ${recipients.join(', ')}` : '';
      throw wrongKey(`the backup was encrypted with age${whom}`, 'identity', ring);
    }
    throw damaged('damaged in its header', cause);
  }
}

function isNoMatch(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes('no identity matched');
}

function assertFirstLine(head: Buffer): void {
  if (head.subarray(0, firstLine.length).equals(firstLine.subarray(0, head.length))) return;
  if (head.subarray(0, 14).toString('latin1') === '-----BEGIN AGE') {
    throw new DbBackupError('INTEGRITY', 'the encrypted backup is armored (text), which dbbackup never writes', {
      hint: 'Decrypt it with the age command: age -d -i identity.txt -o plain file.age',
    });
  }
  throw damaged('no age v1 file');
}
