/**
 * Ed25519 keys (RFC 8032) as one line of text: `ed25519-secret:` or `ed25519-public:` and base64 of 32 bytes (the seed,
 * or the public key).
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import { keyLines } from '../key-text.ts';

export interface VerifyingKey {
  /** 16 hex digits. */
  readonly id: string;
  readonly key: KeyObject;
}

export interface SigningKey extends VerifyingKey {
  /** The public half as text, for the configuration of those who restore. */
  readonly publicPart: string;
}

const secretPrefix = 'ed25519-secret:';
const publicPrefix = 'ed25519-public:';
// RFC 8410: what stands before the 32 bytes in PKCS #8 and SubjectPublicKeyInfo.
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiStart = Buffer.from('302a300506032b6570032100', 'hex');

export function generateSigningKey(): { secret: string; publicPart: string; fingerprint: string } {
  const secret = `${secretPrefix}${randomBytes(32).toString('base64')}`;
  const { id, publicPart } = parseSigningKey(secret);
  return { secret, publicPart, fingerprint: id };
}

/** From the text of a key or a key file. Throws CONFIG_INVALID. */
export function parseSigningKey(text: string): SigningKey {
  const seed = keyBytes(keyLines(text), secretPrefix, 'the signing key');
  registerSecret(seed.toString('base64'));
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Start, seed]), format: 'der', type: 'pkcs8' });
  const publicBytes = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spkiStart.length);
  return { id: signingKeyId(publicBytes), key, publicPart: `${publicPrefix}${publicBytes.toString('base64')}` };
}

/** Throws CONFIG_INVALID. */
export function parseVerifyingKey(text: string): VerifyingKey {
  const lines = text.split('\n').map((line) => line.trim());
  const bytes = keyBytes(
    lines.filter((line) => line !== '' && !line.startsWith('#')),
    publicPrefix,
    'the public signing key',
  );
  const key = createPublicKey({ key: Buffer.concat([spkiStart, bytes]), format: 'der', type: 'spki' });
  return { id: signingKeyId(bytes), key };
}

function keyBytes(lines: readonly string[], prefix: string, what: string): Buffer {
  const [line = '', ...more] = lines;
  const encoded = line.slice(prefix.length);
  const bytes = Buffer.from(encoded, 'base64');
  const wellFormed = line.startsWith(prefix) && bytes.length === 32 && bytes.toString('base64') === encoded;
  if (wellFormed && more.length === 0) return bytes;
  throw new DbBackupError('CONFIG_INVALID', `${what} is malformed: it must be ${prefix} and base64 of 32 bytes`, {
    hint: 'Make a pair with: dbbackup keygen --type signing',
  });
}

function signingKeyId(publicBytes: Buffer): string {
  return createHash('sha256').update('dbbackup-signing-v1').update(publicBytes).digest('hex').slice(0, 16);
}
