import { OpeningStream } from '../chunk/opening-stream.ts';
import type { Decryption, EncryptionRecord } from '../encryption.ts';
import type { KeyRing } from '../key-ring.ts';
import { assertPinnedHeader } from '../pinned-header.ts';
import { measureHeader, openHeader } from './header.ts';
import { payloadCipher, payloadNonceSize } from './payload.ts';

/**
 * Reads age v1 files. A damaged recipient stanza looks like a wrong key unless the sidecar's pin is there to tell: it is
 * checked first.
 */
export function decryptAge(ring: KeyRing, pinned: EncryptionRecord | undefined): Decryption {
  return new OpeningStream({
    measure(head) {
      const length = measureHeader(head);
      return length === undefined ? undefined : length + payloadNonceSize;
    },
    async open(start) {
      const header = start.subarray(0, -payloadNonceSize);
      assertPinnedHeader(header, pinned);
      const fileKey = await openHeader(header, ring, pinned?.recipients);
      return payloadCipher(fileKey, start.subarray(-payloadNonceSize));
    },
  });
}
