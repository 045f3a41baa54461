import type * as Crypto from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inspect } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { headerSize } from '../../src/crypto/aes-256-gcm/header.ts';
import { encryptAes } from '../../src/crypto/aes-256-gcm/writer.ts';
import { encryptAge } from '../../src/crypto/age/writer.ts';
import { encryptionTypes, openDecryptor } from '../../src/crypto/all.ts';
import type { EncryptionType } from '../../src/crypto/encryption.ts';
import { readKeyFile } from '../../src/crypto/key-file.ts';
import { parseSigningKey } from '../../src/crypto/signature/signing-key.ts';
import { drive, plaintext, randomPieces, ring, seal, seededRandom } from '../unit/crypto/drive.ts';

let chunksBeforeFault = Number.POSITIVE_INFINITY;
let scrypts = 0;

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof Crypto>();
  return {
    ...original,
    createCipheriv(...args: Parameters<typeof Crypto.createCipheriv>) {
      chunksBeforeFault -= 1;
      if (chunksBeforeFault < 0) throw new Error('the cipher failed');
      return original.createCipheriv(...args);
    },
    scrypt(...args: Parameters<typeof Crypto.scrypt>) {
      scrypts += 1;
      return original.scrypt(...args);
    },
  };
});

beforeEach(() => {
  chunksBeforeFault = Number.POSITIVE_INFINITY;
  scrypts = 0;
});

const key = Buffer.alloc(32, 9);
const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'];

describe('F11 the encryptor throws in mid-stream', () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  beforeEach(() => process.on('unhandledRejection', note));
  afterEach(() => process.off('unhandledRejection', note));

  const writers = [
    ['aes-256-gcm', () => encryptAes({ key })],
    ['age', () => encryptAge({ recipients })],
  ] as const;
  it.each(writers)('%s: the pipeline fails, nothing more is written, never plaintext', async (_type, encrypt) => {
    const line = Buffer.from('this line must never be stored as it is\n');
    const plain = Buffer.alloc(700_000, line);
    const stage = await encrypt();
    chunksBeforeFault = 3;
    const stored: Buffer[] = [];
    let finished = false;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        stored.push(chunk);
        done();
      },
      final(done) {
        finished = true;
        done();
      },
    });
    const source = Readable.from(randomPieces(plain, seededRandom(4), 50_000), { objectMode: false });
    await expect(pipeline(source, stage.stream, sink)).rejects.toThrow('the cipher failed');
    await new Promise((resolve) => setImmediate(resolve));
    expect(finished).toBe(false);
    expect(rejections).toEqual([]);
    const bytes = Buffer.concat(stored);
    expect(bytes.includes(line.subarray(0, 12))).toBe(false);
    expect(bytes.length).toBeLessThanOrEqual(1000 + 3 * (65536 + 16));
    expect(() => stage.result()).toThrow();
  });
});

describe('F36 ciphertext flipped, truncated, extended or reordered', () => {
  const size = 3 * 65536 + 100;
  const stored = 65536 + 16;
  const changes: [string, (file: Buffer, start: number) => Buffer][] = [
    [
      'flipped',
      (file, start) => Buffer.from(file).fill((file[start + 70_000] ?? 0) ^ 1, start + 70_000, start + 70_001),
    ],
    ['truncated', (file) => file.subarray(0, -1)],
    ['truncated at a chunk boundary', (file, start) => file.subarray(0, start + 2 * stored)],
    ['extended', (file) => Buffer.concat([file, Buffer.from('x')])],
    ['reordered', (file, start) => reorder(file, start, start + stored)],
  ];

  function reorder(file: Buffer, first: number, second: number): Buffer {
    const [a, b] = [file.subarray(first, second), file.subarray(second, second + stored)];
    return Buffer.concat([file.subarray(0, first), b, a, file.subarray(second + stored)]);
  }

  it.each(changes)('aes-256-gcm: %s', async (_what, change) => {
    const file = await seal(await encryptAes({ key }), [plaintext(size)]);
    await refused('aes-256-gcm', change(file, headerSize), { keys: [key] });
  });

  it.each(changes)('age: %s', async (_what, change) => {
    const identity = await generateX25519Identity();
    const file = await seal(await encryptAge({ recipients: [await identityToRecipient(identity)] }), [plaintext(size)]);
    const start = file.indexOf('\n', file.indexOf('\n---') + 1) + 1 + 16;
    await refused('age', change(file, start), { identities: [identity] });
  });

  async function refused(type: EncryptionType, file: Buffer, keys: Parameters<typeof ring>[0]): Promise<void> {
    const decryption = await openDecryptor(ring(keys)).decrypt(type, undefined);
    const { released, error } = await drive(decryption, randomPieces(file, seededRandom(8), 50_000));
    expect(error).toMatchObject({ code: 'INTEGRITY', hint: expect.stringContaining('another copy') });
    expect(released.length).toBeLessThan(size);
    expect(plaintext(size).subarray(0, released.length).equals(released)).toBe(true);
  }
});

describe('F37 an absurd scrypt cost or header', () => {
  it('aes-256-gcm: refused before scrypt is called', async () => {
    const file = await seal(await encryptAes({ passphrase: 'p' }, undefined, { scrypt: { logN: 4, r: 8, p: 1 } }), []);
    const { createHash } = await import('node:crypto');
    for (const cost of [
      [31, 8, 1],
      [17, 255, 1],
      [17, 8, 255],
      [255, 255, 255],
    ]) {
      const absurd = Buffer.from(file);
      absurd.set(cost, 12);
      const check = createHash('sha256').update(absurd.subarray(0, 16)).update(absurd.subarray(32, 64)).digest();
      check.copy(absurd, 16, 0, 16);
      scrypts = 0;
      const ask = vi.fn(async () => 'p');
      const decryption = await openDecryptor({ ...ring({}), passphrases: [ask] }).decrypt('aes-256-gcm', undefined);
      expect((await drive(decryption, [absurd])).error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
      expect([scrypts, ask.mock.calls.length]).toEqual([0, 0]);
    }
  });

  it('age: refused before scrypt is called', async () => {
    const file = await seal(await encryptAge({ passphrase: 'p' }, undefined, 10), []);
    const absurd = Buffer.from(file.toString('latin1').replace(/^(-> scrypt \S+) 10$/m, '$1 21'), 'latin1');
    scrypts = 0;
    const decryption = await openDecryptor(ring({ passphrases: ['p'] })).decrypt('age', undefined);
    expect((await drive(decryption, [absurd])).error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(scrypts).toBe(0);
  });

  it('age: a header without end is refused after 64 KiB', async () => {
    const line = `-> X25519 ${'A'.repeat(43)}\n${'A'.repeat(43)}\n`;
    let given = 0;
    function* endless(): Generator<Buffer> {
      yield Buffer.from('age-encryption.org/v1\n');
      for (;;) {
        given += line.length;
        yield Buffer.from(line);
      }
    }
    const decryption = await openDecryptor(ring({ identities: [await generateX25519Identity()] })).decrypt(
      'age',
      undefined,
    );
    expect((await drive(decryption, endless())).error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(given).toBeLessThan(1024 * 1024);
  });
});

describe('F38 keys in errors', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-f38-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('a planted canary is in no error, its causes, hint or inspection', async () => {
    const canary = 'CANARY7f3a';
    const type = (name: EncryptionType) => encryptionTypes.find((each) => each.type === name);
    const file = join(folder, 'canary.key');
    await writeFile(file, `${canary}\n`, { mode: 0o600 });
    const byPassphrase = await seal(
      await encryptAes({ passphrase: 'right' }, undefined, { scrypt: { logN: 4, r: 8, p: 1 } }),
      [],
    );
    const failures: (() => Promise<unknown>)[] = [
      async () => type('aes-256-gcm')?.open({ key: canary }, folder),
      async () => type('aes-256-gcm')?.open({ key: 'a'.repeat(64), previousKeys: [canary] }, folder),
      async () => type('aes-256-gcm')?.open({ keyFile: file }, folder),
      async () => type('age')?.open({ identities: canary }, folder),
      async () => type('age')?.open({ identities: `AGE-SECRET-KEY-1${canary}` }, folder),
      async () => type('age')?.open({ recipients: [`AGE-SECRET-KEY-1${canary}`] }, folder),
      async () => type('age')?.open({ identityFile: file }, folder),
      async () => readKeyFile(file),
      async () => parseSigningKey(canary),
      async () => {
        const decryption = await openDecryptor(ring({ passphrases: [canary] })).decrypt('aes-256-gcm', undefined);
        throw (await drive(decryption, [byPassphrase])).error;
      },
    ];
    for (const fail of failures) {
      const error = await fail().then(
        () => 'did not fail',
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 10, showHidden: true }).replaceAll(file, '')).not.toContain(canary);
    }
  });
});
