import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/crypto/signature/canonical-json.ts';
import { signSidecar, verifySidecar } from '../../../src/crypto/signature/signature.ts';
import { generateSigningKey, parseSigningKey, parseVerifyingKey } from '../../../src/crypto/signature/signing-key.ts';

const ours = generateSigningKey();
const theirs = generateSigningKey();
const sidecar = {
  version: '1.0',
  id: 'x',
  artifact: { name: 'a.sql', storedSha256: '00', rawBytes: 12 },
  note: undefined,
  recover: ['é "quoted"', '\u2028'],
};
const signed = () => JSON.parse(JSON.stringify({ ...sidecar, signature: signSidecar(sidecar, ours.secret) }));

describe('canonical JSON (RFC 8785)', () => {
  it('writes the example of the RFC, section 3.2', () => {
    const input =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    const expected =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    expect(canonicalJson(JSON.parse(input))).toBe(expected);
  });

  it('sorts by UTF-16 code units, section 3.2.3', () => {
    const names = ['€', '\r', '\ufb33', '1', '😀', '\u0080', 'ö'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    expect(Object.keys(JSON.parse(text))).toEqual(['1', '\r', '\u0080', 'ö', '€', '😀', '\ufb33']);
    const order = ['\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33'].map((name) => text.indexOf(JSON.stringify(name)));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('does not depend on the order of members, and loses nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const parsed = JSON.parse(JSON.stringify(value));
        const reversed = Object.fromEntries(Object.entries(parsed).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(parsed));
        expect(JSON.parse(canonicalJson(parsed))).toEqual(parsed);
      }),
    );
  });

  it('refuses to exhaust the stack', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(() => canonicalJson(deep)).toThrow('nested deeper');
  });
});

describe('signatures of sidecars', () => {
  it('hold for a signed sidecar, indented or reordered, among several trusted keys', () => {
    expect(() => verifySidecar(signed(), [theirs.publicPart, ours.publicPart])).not.toThrow();
    const reordered = Object.fromEntries(Object.entries(signed()).reverse());
    expect(() => verifySidecar(reordered, [ours.publicPart])).not.toThrow();
  });

  const altered: [string, (sidecar: Record<string, unknown>) => unknown][] = [
    ['a changed field', (one) => ({ ...one, id: 'y' })],
    ['a changed nested field', (one) => ({ ...one, artifact: { ...(one['artifact'] as object), rawBytes: 13 } })],
    ['a removed field', ({ id: _, ...rest }) => rest],
    ['an added field that this version does not know', (one) => ({ ...one, future: 1 })],
    ['an added __proto__', (one) => JSON.parse(JSON.stringify(one).replace('{', '{"__proto__":1,'))],
  ];
  it.each(altered)('refuse %s', (_what, alter) => {
    expect(() => verifySidecar(alter(signed()), [ours.publicPart])).toThrow('changed after it was signed');
  });

  it('refuse unsigned, unknown keys, malformed signatures and what is no object', () => {
    const trusted = [ours.publicPart];
    expect(() => verifySidecar(sidecar, trusted)).toThrow('not signed');
    expect(() => verifySidecar(signed(), [theirs.publicPart])).toThrow('not among the trusted');
    expect(() => verifySidecar(signed(), [])).toThrow('not among the trusted');
    expect(() => verifySidecar({ ...signed(), signature: `${signed().signature}=` }, trusted)).toThrow('malformed');
    expect(() => verifySidecar({ ...signed(), signature: 7 }, trusted)).toThrow('malformed');
    for (const value of [null, 'text', 4, []]) expect(() => verifySidecar(value, trusted)).toThrow('not signed');
  });

  it('are what FORMAT.md says', () => {
    const { signature, ...rest } = signed();
    const [scheme, id, encoded] = signature.split(':');
    expect([scheme, id]).toEqual(['ed25519', ours.fingerprint]);
    const raw = Buffer.from(ours.publicPart.replace('ed25519-public:', ''), 'base64');
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
    const bytes = Buffer.from(`dbbackup-sidecar-v1\n${canonicalJson(rest)}`);
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify(null, bytes, key, Buffer.from(encoded, 'base64'))).toBe(true);
  });

  it('keys are told apart and malformed ones refused without showing them', () => {
    expect(parseVerifyingKey(ours.publicPart).id).toBe(parseSigningKey(`# comment\n${ours.secret}\n`).id);
    expect(() => parseVerifyingKey(ours.secret)).toThrow('the public signing key is malformed');
    expect(() => parseSigningKey(ours.publicPart)).toThrow('the signing key is malformed');
    const cut = ours.secret.slice(0, -4);
    expect(() => parseSigningKey(cut)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(cut) }));
  });
});
