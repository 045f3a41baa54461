/**
 * age's scrypt recipient (C2SP age.md, "The scrypt recipient type"), natively and off the event loop: the package's
 * own is pure JavaScript and blocks for seconds.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { DbBackupError } from '../../errors.ts';
import { type PassphraseSource, resolvePassphrase } from '../key-ring.ts';

/** log₂ of N; 256 MiB, age's own default. */
export const defaultWorkFactor = 18;
/** 1 GiB; age writes 18. */
export const maxWorkFactor = 20;

const saltSize = 16;
const tagSize = 16;
const zeroNonce = Buffer.alloc(12);
const derive = promisify<Buffer, Buffer, number, object, Buffer>(scrypt);

/** Wraps a file key with a passphrase; must be the only recipient. */
export function scryptRecipient(passphrase: string, workFactor: number): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(saltSize);
      const key = await wrappingKey(passphrase, salt, workFactor);
      const cipher = createCipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: tagSize });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [{ args: ['scrypt', unpadded(salt), String(workFactor)], body }];
    },
  };
}

/** Tries the passphrases in order; asks for one only when the file has a scrypt stanza. Throws LIMIT_EXCEEDED. */
export function scryptIdentity(passphrases: readonly PassphraseSource[]): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas.find(({ args }) => args[0] === 'scrypt');
      if (stanza === undefined) return null;
      if (stanzas.length !== 1) throw new Error('scrypt is not the only stanza');
      const { salt, workFactor } = parseStanza(stanza);
      for (const source of passphrases) {
        const key = await wrappingKey(await resolvePassphrase(source), salt, workFactor);
        const fileKey = unwrap(Buffer.from(stanza.body), key);
        if (fileKey !== null) return fileKey;
      }
      return null;
    },
  };
}

function parseStanza(stanza: Stanza): { salt: Buffer; workFactor: number } {
  const [, salt = '', factor = ''] = stanza.args;
  const bytes = Buffer.from(salt, 'base64');
  const wellFormed = stanza.args.length === 3 && unpadded(bytes) === salt && /^[1-9][0-9]*$/.test(factor);
  if (!wellFormed || bytes.length !== saltSize || stanza.body.length !== 16 + tagSize) {
    throw new Error('malformed scrypt stanza');
  }
  if (Number(factor) <= maxWorkFactor) return { salt: bytes, workFactor: Number(factor) };
  throw new DbBackupError('LIMIT_EXCEEDED', `the file asks for a scrypt work factor of ${factor.slice(0, 20)}`, {
    hint: `dbbackup spends at most 2^${maxWorkFactor} (1 GiB of memory). If the file is yours, decrypt it with the age command.`,
  });
}

function unwrap(body: Buffer, key: Buffer): Buffer | null {
  const decipher = createDecipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: tagSize });
  decipher.setAuthTag(body.subarray(-tagSize));
  const fileKey = decipher.update(body.subarray(0, -tagSize));
  try {
    decipher.final();
    return fileKey;
  } catch {
    return null;
  }
}

function wrappingKey(passphrase: string, salt: Buffer, workFactor: number): Promise<Buffer> {
  const N = 2 ** workFactor;
  const labelled = Buffer.concat([Buffer.from('age-encryption.org/v1/scrypt'), salt]);
  return derive(Buffer.from(passphrase, 'utf8'), labelled, 32, { N, r: 8, p: 1, maxmem: 2048 * N });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
