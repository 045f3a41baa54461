import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptAes } from '../../../src/crypto/aes-256-gcm/reader.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { drive, plaintext, randomPieces, ring, seededRandom, singleBytes } from './drive.ts';

interface Vector {
  name: string;
  expect: 'ok' | ErrorCode;
  key?: string;
  passphrase?: string;
  size?: number;
  says?: string;
  /** Bytes of plaintext that may leave the reader before it refuses. */
  releases?: number;
  file: string;
}

const source = new URL('../../vectors/aes-256-gcm/vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(source, 'utf8')) as { vectors: Vector[] };
const kit = new URL('../../../src/crypto/recovery-kit/decrypt.mjs', import.meta.url).pathname;

function keysOf({ key, passphrase }: Vector) {
  return ring({ keys: key ? [Buffer.from(key, 'hex')] : [], passphrases: passphrase ? [passphrase] : [] });
}

describe('frozen aes-256-gcm vectors', () => {
  it('are all there', () => expect(vectors.length).toBe(106));

  describe.each(vectors)('$name', (vector) => {
    const file = Buffer.from(vector.file, 'base64');
    const ways: [string, () => Iterable<Buffer>][] = [
      ['whole', () => (file.length > 0 ? [file] : [])],
      ['in random pieces', () => randomPieces(file, seededRandom(file.length))],
      ['byte by byte', () => singleBytes(file)],
    ];
    it.each(ways)('read %s', async (_way, pieces) => {
      const { released, error } = await drive(decryptAes(keysOf(vector), undefined), pieces());
      const whole = plaintext(vector.size ?? 0);
      expect(error?.code ?? 'ok').toBe(vector.expect);
      if (vector.expect === 'ok') expect(released.equals(whole)).toBe(true);
      else expect(released.equals(plaintext(vector.releases ?? 0))).toBe(true);
      if (vector.says) expect(error?.message).toContain(vector.says);
    });
  });
});

describe('the recovery kit reads the frozen vectors alike', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dbbackup-kit-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const spoken: Partial<Record<ErrorCode, RegExp>> = {
    WRONG_KEY: /Wrong (key|passphrase)|use --(key|passphrase)/,
    LIMIT_EXCEEDED: /absurd scrypt cost/,
    INTEGRITY: /damaged|truncated|trailing|no dbbackup|wrong key: it needs/i,
  };

  it.each(vectors)('$name', (vector) => {
    const [input, output, secret] = ['in.enc', 'out', 'secret'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(input, Buffer.from(vector.file, 'base64'));
    writeFileSync(secret, vector.key ?? `${vector.passphrase}\n`);
    const args = [kit, input, output, vector.key ? '--key' : '--passphrase', secret];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const found = existsSync(output) ? readFileSync(output) : undefined;
    rmSync(output, { force: true });
    expect(run.status).toBe(vector.expect === 'ok' ? 0 : 1);
    if (vector.expect === 'ok') expect(found?.equals(plaintext(vector.size ?? 0))).toBe(true);
    else {
      expect(found).toBeUndefined();
      expect(run.stderr).toMatch(spoken[vector.expect] ?? /never/);
    }
  });
});
