/** The 143 vectors of the age project (C2SP/CCTV), from npm `cctv-age`. */
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import * as cctv from 'cctv-age';
import { describe, expect, it } from 'vitest';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import { drive, randomPieces, ring, seededRandom } from './drive.ts';

/** What does not apply, and why. Everything else must pass. */
const reasons: [RegExp, string][] = [
  [/^armor_/, 'armor (a text form) is neither written nor read; the age command can take it off'],
  [/^hybrid/, 'post-quantum identities are not used: the age of Debian stable cannot read them'],
];

interface OfficialVector {
  readonly fields: ReadonlyMap<string, string>;
  readonly identities: readonly string[];
  readonly passphrases: readonly string[];
  readonly file: Buffer;
}

function parse(content: Uint8Array): OfficialVector {
  const bytes = Buffer.from(content);
  const end = bytes.indexOf('\n\n');
  const pairs = bytes
    .toString('utf8', 0, end)
    .split('\n')
    .map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
  const fields = new Map(pairs);
  const all = (name: string) => pairs.filter(([key]) => key === name).map(([, value]) => value);
  const body = bytes.subarray(end + 2);
  const file = fields.get('compressed') === 'zlib' ? inflateSync(body) : body;
  return { fields, identities: all('identity'), passphrases: all('passphrase'), file };
}

// Typed as a CommonJS module, published as an ES module.
const official: Readonly<Record<string, unknown>> = { ...cctv };
const names = Object.keys(official).filter((name) => official[name] instanceof Uint8Array);
const applying = names.filter((name) => !reasons.some(([pattern]) => pattern.test(name)));

const codes: Record<string, string[]> = {
  success: ['ok'],
  'no match': ['WRONG_KEY'],
  'HMAC failure': ['INTEGRITY'],
  'header failure': ['INTEGRITY', 'LIMIT_EXCEEDED'],
  'payload failure': ['INTEGRITY'],
};

describe('official age vectors', () => {
  it('are 143, of which 92 apply', () => expect([names.length, applying.length]).toEqual([143, 92]));

  describe.each(applying)('%s', (name) => {
    const vector = parse(official[name] as Uint8Array);
    const expected = vector.fields.get('expect') ?? '';
    it.each(['whole', 'in pieces'])('read %s', async (way) => {
      const pieces = way === 'whole' ? [vector.file] : randomPieces(vector.file, seededRandom(1), 20_000);
      const { released, error } = await drive(decryptAge(ring(vector), undefined), pieces);
      expect(codes[expected]).toContain(error?.code ?? 'ok');
      const sha256 = createHash('sha256').update(released).digest('hex');
      if (vector.fields.has('payload')) expect(sha256).toBe(vector.fields.get('payload'));
      else expect(released.length).toBe(0);
    });
  });
});
