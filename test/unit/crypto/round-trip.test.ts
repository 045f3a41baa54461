import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decryptAes } from '../../../src/crypto/aes-256-gcm/reader.ts';
import { type AesSecret, encryptAes } from '../../../src/crypto/aes-256-gcm/writer.ts';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import { encryptAge } from '../../../src/crypto/age/writer.ts';
import { drive, plaintext, randomPieces, ring, seal, seededRandom } from './drive.ts';

const key = randomBytes(32);
const cheap = { logN: 4, r: 8, p: 1 };

function pieces(bytes: Buffer, seed: number, longest: number): Iterable<Buffer> {
  return randomPieces(bytes, seededRandom(seed), longest);
}

describe('round trips', () => {
  it('aes-256-gcm gives back what went in, however both sides are cut', async () => {
    const secrets: AesSecret[] = [{ key }, { passphrase: 'päss' }];
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 700 }),
      fc.integer({ min: 6, max: 9 }),
      fc.constantFrom(...secrets),
      fc.nat(),
      fc.integer({ min: 1, max: 300 }),
      async (size, chunkBits, secret, seed, longest) => {
        const stage = await encryptAes(secret, 'main', { chunkBits, scrypt: cheap });
        const file = await seal(stage, pieces(plaintext(size), seed, longest));
        expect(file.length).toBe(96 + size + 16 * Math.max(1, Math.ceil(size / 2 ** chunkBits)));
        const keys = ring({ keys: [randomBytes(32), key], passphrases: ['wrong', 'päss'] });
        const { released, error } = await drive(decryptAes(keys, stage.result()), pieces(file, seed + 1, longest));
        expect(error).toBeUndefined();
        expect(released.equals(plaintext(size))).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it('age gives back what went in, to each of several recipients', async () => {
    const identities = [await generateX25519Identity(), await generateX25519Identity()];
    const recipients = await Promise.all(identities.map(identityToRecipient));
    const around = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073];
    const property = fc.asyncProperty(fc.constantFrom(...around), fc.nat(1), fc.nat(), async (size, who, seed) => {
      const stage = await encryptAge({ recipients });
      const file = await seal(stage, pieces(plaintext(size), seed, 90_000));
      const keys = ring({ identities: [identities[who] ?? ''] });
      const { released, error } = await drive(decryptAge(keys, stage.result()), pieces(file, seed + 1, 90_000));
      expect(error).toBeUndefined();
      expect(released.equals(plaintext(size))).toBe(true);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('age with a passphrase', async () => {
    const stage = await encryptAge({ passphrase: 'päss' }, undefined, 8);
    const file = await seal(stage, [plaintext(1000)]);
    const { released } = await drive(decryptAge(ring({ passphrases: ['wrong', 'päss'] }), stage.result()), [file]);
    expect(released.equals(plaintext(1000))).toBe(true);
  });

  it('records nothing secret, and only after the end', async () => {
    const stage = await encryptAes({ key }, 'main');
    expect(() => stage.result()).toThrow('before its stream had ended');
    const file = await seal(stage, [plaintext(10)]);
    expect(stage.result()).toMatchObject({ type: 'aes-256-gcm', profile: 'main', salt: file.toString('hex', 32, 64) });
    expect(JSON.stringify(stage.result())).not.toContain(key.toString('hex'));
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const age = await encryptAge({ recipients: [recipient] });
    await seal(age, []);
    expect(age.result().recipients).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect(JSON.stringify(age.result())).not.toContain(recipient.slice(0, 12));
  });
});
