import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import type { EncryptionRecord } from '../../../src/crypto/encryption.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { drive, plaintext, randomPieces, ring, seededRandom, singleBytes } from './drive.ts';

type Edit =
  | readonly ['flip' | 'cut' | 'append', number]
  | readonly ['remove' | 'repeat' | 'swap', number, number]
  | readonly ['write', number, string];

interface Vector {
  name: string;
  file: string;
  edits: Edit[];
  expect: 'ok' | ErrorCode;
  /** Where the sidecar's pin tells more than the file alone. */
  pinnedExpect?: ErrorCode;
  size?: number;
  says?: string;
  releases?: number;
  with?: string;
}

const folder = new URL('../../vectors/age/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder));
const frozen = JSON.parse(read('vectors.json').toString()) as {
  identity: string;
  stranger: string;
  passphrase: string;
  vectors: Vector[];
};

function edited(bytes: Buffer, [kind, at, to]: Edit): Buffer {
  const end = typeof to === 'number' ? to : at;
  const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  if (kind === 'cut') return before;
  if (kind === 'append') return Buffer.concat([bytes, Buffer.alloc(at)]);
  if (kind === 'remove') return Buffer.concat([before, after]);
  if (kind === 'repeat') return Buffer.concat([before, middle, middle, after]);
  if (kind === 'swap') return Buffer.concat([before, after, middle]);
  const copy = Buffer.from(bytes);
  if (kind === 'write') copy.write(String(to), at, 'latin1');
  else copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function keysOf(vector: Vector) {
  if (vector.with === 'stranger') return ring({ identities: [frozen.stranger], passphrases: [frozen.passphrase] });
  if (vector.with) return ring({ identities: [frozen.identity], passphrases: [vector.with] });
  return ring({ identities: [frozen.identity], passphrases: [frozen.passphrase] });
}

function pinOf(original: Buffer): EncryptionRecord {
  const end = original.indexOf('\n', original.indexOf('\n---') + 1) + 1;
  const sha256 = createHash('sha256').update(original.subarray(0, end)).digest('hex');
  return { type: 'age', headerSha256: sha256 };
}

describe('frozen age vectors', () => {
  it('are all there', () => expect(frozen.vectors.length).toBe(32));

  describe.each(frozen.vectors)('$name', (vector) => {
    const original = read(vector.file);
    const file = vector.edits.reduce(edited, original);
    const ways: [string, () => Iterable<Buffer>][] = [
      ['whole', () => [file]],
      ['in random pieces', () => randomPieces(file, seededRandom(file.length), 30_000)],
      ['byte by byte', () => singleBytes(file)],
    ];
    it.each(ways)('read %s', async (_way, pieces) => {
      const { released, error } = await drive(decryptAge(keysOf(vector), undefined), pieces());
      expect(error?.code ?? 'ok').toBe(vector.expect);
      expect(released.equals(plaintext(vector.size ?? vector.releases ?? 0))).toBe(true);
      if (vector.says) expect(error?.message).toContain(vector.says);
    });

    it('read with the pin of the sidecar', async () => {
      const { error } = await drive(decryptAge(keysOf(vector), pinOf(original)), [file]);
      expect(error?.code ?? 'ok').toBe(vector.pinnedExpect ?? vector.expect);
    });
  });
});
