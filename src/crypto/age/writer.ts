import { randomBytes } from 'node:crypto';
import { SealingStream } from '../chunk/sealing-stream.ts';
import { encryptStage } from '../encrypt-stage.ts';
import type { EncryptStage } from '../encryption.ts';
import { recipientFingerprint } from '../fingerprint.ts';
import { headerSha256 } from '../pinned-header.ts';
import { type AgeSecret, sealHeader } from './header.ts';
import { payloadCipher, payloadNonceSize } from './payload.ts';
import { defaultWorkFactor } from './scrypt-stanza.ts';

/** Encrypts one file: a new file key for each. A lower `workFactor` is for tests. */
export async function encryptAge(
  secret: AgeSecret,
  profile?: string,
  workFactor = defaultWorkFactor,
): Promise<EncryptStage> {
  const { header, fileKey } = await sealHeader(secret, workFactor);
  const nonce = randomBytes(payloadNonceSize);
  const stream = new SealingStream(Buffer.concat([header, nonce]), payloadCipher(fileKey, nonce));
  return encryptStage(stream, {
    type: 'age',
    profile,
    ...('passphrase' in secret ? { passphrase: true } : { recipients: secret.recipients.map(recipientFingerprint) }),
    headerSha256: headerSha256(header),
  });
}
