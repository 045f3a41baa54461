/** Random single-bit flips and truncations. DBBACKUP_SOAK_FLIPS sets their number, DBBACKUP_SOAK_SEED repeats a run. */
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { decryptAes } from '../../../src/crypto/aes-256-gcm/reader.ts';
import { encryptAes } from '../../../src/crypto/aes-256-gcm/writer.ts';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import { encryptAge } from '../../../src/crypto/age/writer.ts';
import type { Decryption } from '../../../src/crypto/encryption.ts';
import { drive, plaintext, randomPieces, ring, seal, seededRandom } from './drive.ts';

const rounds = Number(process.env['DBBACKUP_SOAK_FLIPS'] ?? 500);
const seed = Number(process.env['DBBACKUP_SOAK_SEED'] ?? Date.now() % 1e9);

async function attack(file: Buffer, plain: Buffer, open: () => Decryption): Promise<void> {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round += 1) {
    const at = Math.floor(random() * file.length);
    const isFlip = random() < 0.8;
    const damaged = isFlip ? Buffer.from(file) : file.subarray(0, at);
    const bit = Math.floor(random() * 8);
    if (isFlip) damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
    const what = `seed ${seed}, round ${round}: ${isFlip ? `bit ${bit} of byte ${at}` : `cut to ${at} bytes`}`;
    const { released, error } = await drive(open(), randomPieces(damaged, random, 50_000));
    expect(['INTEGRITY', 'WRONG_KEY', 'LIMIT_EXCEEDED'], what).toContain(error?.code);
    expect(plain.subarray(0, released.length).equals(released), what).toBe(true);
  }
}

describe(`${rounds} flips and truncations (seed ${seed})`, () => {
  const limit = 10_000 + rounds * 100;

  it('aes-256-gcm: all refused, only true plaintext released', { timeout: limit }, async () => {
    const key = Buffer.alloc(32, 3);
    const plain = plaintext(2500);
    const file = await seal(await encryptAes({ key }, undefined, { chunkBits: 8 }), [plain]);
    await attack(file, plain, () => decryptAes(ring({ keys: [key] }), undefined));
  });

  it('age: all refused, only true plaintext released', { timeout: limit }, async () => {
    const identity = await generateX25519Identity();
    const plain = plaintext(66_000);
    const file = await seal(await encryptAge({ recipients: [await identityToRecipient(identity)] }), [plain]);
    await attack(file, plain, () => decryptAge(ring({ identities: [identity] }), undefined));
  });
});
