import type * as Crypto from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { encryptAes } from '../../../src/crypto/aes-256-gcm/writer.ts';
import { encryptAge } from '../../../src/crypto/age/writer.ts';
import { chunkNonce, maxChunks } from '../../../src/crypto/chunk/chunk-cipher.ts';
import { plaintext, seal } from './drive.ts';

const used: string[] = [];

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof Crypto>();
  const createCipheriv = (algorithm: string, key: Buffer, nonce: Buffer, options: object) => {
    used.push(`${algorithm} ${key.toString('hex')} ${nonce.toString('hex')}`);
    return original.createCipheriv(algorithm, key, nonce, options);
  };
  return { ...original, createCipheriv };
});

const key = Buffer.alloc(32, 7);

describe('nonces', () => {
  beforeEach(() => {
    used.length = 0;
  });

  it('never come twice under a key, over several files with one key', async () => {
    for (let file = 0; file < 20; file += 1) {
      await seal(await encryptAes({ key }, undefined, { chunkBits: 6 }), [plaintext(64 * 50), plaintext(file)]);
    }
    // 50 whole chunks, and one more unless nothing follows them.
    expect(used.length).toBe(20 * 51 - 1);
    expect(new Set(used).size).toBe(used.length);
  });

  it('never come twice in files with one age recipient', async () => {
    const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'];
    for (let file = 0; file < 5; file += 1) await seal(await encryptAge({ recipients }), [plaintext(200_000)]);
    expect(used.length).toBe(20);
    expect(new Set(used).size).toBe(used.length);
  });

  it('are an 11-byte counter and the last-mark, and never wrap round', () => {
    expect(chunkNonce(0, false).toString('hex')).toBe('000000000000000000000000');
    expect(chunkNonce(258, true).toString('hex')).toBe('000000000000000000010201');
    expect(chunkNonce(maxChunks - 1, false).toString('hex')).toBe('0000000000ffffffffffff00');
    expect(() => chunkNonce(maxChunks, true)).toThrow('more than 2^48 chunks');
  });
});
