/**
 * Reads our own format. Order of the checks: size and magic, the sidecar's pin, the fields, the key's id (or the
 * passphrase header's own check sum, then the scrypt cost), the header MAC; only then the first chunk.
 */
import { timingSafeEqual } from 'node:crypto';
import { damaged, OpeningStream } from '../chunk/opening-stream.ts';
import type { Decryption, EncryptionRecord } from '../encryption.ts';
import type { KeyRing } from '../key-ring.ts';
import { resolvePassphrase } from '../key-ring.ts';
import { assertPinnedHeader } from '../pinned-header.ts';
import { wrongKey } from '../wrong-key.ts';
import {
  assertMagic,
  authenticatedSize,
  type HeaderFields,
  headerBody,
  headerSize,
  headerStart,
  parseHeader,
} from './header.ts';
import { chunkCipher, headerCheck, headerMac, keyId, passphraseKey } from './key-schedule.ts';
import { assertScryptCost } from './scrypt-key.ts';

export function decryptAes(ring: KeyRing, pinned: EncryptionRecord | undefined): Decryption {
  return new OpeningStream({
    measure(head) {
      assertMagic(head);
      return headerSize;
    },
    async open(header) {
      assertPinnedHeader(header, pinned);
      const fields = parseHeader(header);
      const mac = header.subarray(authenticatedSize);
      const key = fields.derivation === 'raw' ? rawKey(fields, mac, ring) : await keyFromPassphrase(fields, mac, ring);
      return chunkCipher(key, fields.salt, mac, fields.chunkBits);
    },
  });
}

function rawKey(fields: HeaderFields, mac: Buffer, ring: KeyRing): Buffer {
  const key = ring.keys.find((candidate) => keyId(candidate).equals(fields.id));
  if (key !== undefined) {
    if (isAuthentic(key, fields, mac)) return key;
    throw damaged('damaged in its header: the key is the right one, but the header was changed');
  }
  // With the id put right the header is authentic under one of our keys: then the id is what was damaged.
  if (ring.keys.some((candidate) => isAuthentic(candidate, { ...fields, id: keyId(candidate) }, mac))) {
    throw damaged('damaged in its header: the key id was changed');
  }
  throw wrongKey(`the backup was encrypted with the key ${fields.id.toString('hex')}`, 'key', ring);
}

async function keyFromPassphrase(fields: HeaderFields, mac: Buffer, ring: KeyRing): Promise<Buffer> {
  if (!headerCheck(headerStart(fields), fields.salt).equals(fields.id)) throw damaged('damaged in its header');
  assertScryptCost(fields.scrypt);
  for (const source of ring.passphrases) {
    const key = await passphraseKey(await resolvePassphrase(source), fields.salt, fields.scrypt);
    if (isAuthentic(key, fields, mac)) return key;
  }
  throw wrongKey('the backup was encrypted with a passphrase', 'passphrase', ring);
}

function isAuthentic(key: Buffer, fields: HeaderFields, mac: Buffer): boolean {
  return timingSafeEqual(headerMac(key, fields.salt, headerBody(fields)), mac);
}
