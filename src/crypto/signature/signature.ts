/**
 * Signs sidecars, and refuses those that no known key has signed. A sidecar holds the stored file's sha256 and pins its
 * encryption header, so its signature speaks for the whole backup: who can write to the store cannot make us restore
 * something of theirs. Covers fields of future versions too, because the raw JSON is signed, not the parsed schema.
 */
import { sign, verify } from 'node:crypto';
import { DbBackupError } from '../../errors.ts';
import { canonicalJson } from './canonical-json.ts';
import { parseSigningKey, parseVerifyingKey } from './signing-key.ts';

const form = /^ed25519:([0-9a-f]{16}):([A-Za-z0-9+/]{86}==)$/;

/** The value of `signature` for a sidecar; `signingKey` is the text of the secret key. Throws CONFIG_INVALID. */
export function signSidecar(sidecar: object, signingKey: string): string {
  const { id, key } = parseSigningKey(signingKey);
  // As it will be read again: undefined members are gone, dates are strings.
  const signature = sign(null, signedBytes(JSON.parse(JSON.stringify(sidecar))), key);
  return `ed25519:${id}:${signature.toString('base64')}`;
}

/**
 * `value`: the sidecar as JSON.parse gives it, before any schema drops a field; `publicKeys`: the pinned keys' texts.
 * Throws SIGNATURE_INVALID (not signed, by an unknown key, altered), CONFIG_INVALID (a pinned key is malformed).
 */
export function verifySidecar(value: unknown, publicKeys: readonly string[]): void {
  const keys = publicKeys.map(parseVerifyingKey);
  const [, keyId, encoded = ''] = form.exec(signatureOf(value)) ?? [];
  if (keyId === undefined) throw invalid('its signature is malformed');
  const signer = keys.find(({ id }) => id === keyId);
  if (signer === undefined) throw invalid(`it was signed with the key ${keyId}, which is not among the trusted ones`);
  if (verify(null, signedBytes(value as object), signer.key, Buffer.from(encoded, 'base64'))) return;
  throw invalid(`it was changed after it was signed with the key ${keyId}`);
}

function signatureOf(value: unknown): string {
  const isObject = typeof value === 'object' && value !== null;
  const signature = isObject && 'signature' in value ? value.signature : undefined;
  if (signature === undefined) throw invalid('it is not signed');
  return typeof signature === 'string' ? signature : '';
}

/** Domain-separated: what is signed here means a sidecar and nothing else. */
function signedBytes(sidecar: object): Buffer {
  const { signature: _, ...rest } = sidecar as Record<string, unknown>;
  return Buffer.from(`dbbackup-sidecar-v1\n${canonicalJson(rest)}`);
}

function invalid(reason: string): DbBackupError {
  return new DbBackupError('SIGNATURE_INVALID', `the sidecar cannot be trusted: ${reason}`, {
    hint: 'Restore another copy. Add the public key to the trusted ones only if you know whose it is.',
  });
}
