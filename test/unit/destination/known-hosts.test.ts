import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf, judgeHostKey, knownTypes, parseKnownHosts } from '../../../src/destination/sftp/known-hosts.ts';
import { type HostKeyType, makeKey } from '../../servers/sftp.ts';

describe('known_hosts', () => {
  let folder = '';
  const line: Record<string, string> = {};
  const blob: Record<string, Buffer> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-known-'));
    for (const [name, type] of Object.entries({ one: 'ed25519', two: 'ed25519', rsa: 'rsa' })) {
      const file = join(folder, name);
      await makeKey(file, type as HostKeyType);
      const [kind = '', base64 = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
      line[name] = `${kind} ${base64} comment`;
      blob[name] = Buffer.from(base64, 'base64');
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  const judge = (text: string, host: string, port: number, key: string) =>
    judgeHostKey(parseKnownHosts(text), host, port, blob[key] ?? Buffer.alloc(0)).kind;

  it('prints fingerprints as ssh-keygen does', () => {
    const printed = execFileSync('ssh-keygen', ['-lf', join(folder, 'one.pub')], { encoding: 'utf8' });
    expect(printed).toContain(fingerprintOf(blob['one'] ?? Buffer.alloc(0)));
  });

  it.each([
    ['the name', 'shop.example', 'shop.example', 22, 'known'],
    ['the name in capitals', 'shop.example', 'Shop.Example', 22, 'known'],
    ['one of several', 'other,shop.example,192.0.2.7', '192.0.2.7', 22, 'known'],
    ['name and port', '[shop.example]:2222', 'shop.example', 2222, 'known'],
    ['a name for every port', 'shop.example', 'shop.example', 2222, 'known'],
    ['another port', '[shop.example]:2222', 'shop.example', 22, 'unknown'],
    ['wildcards', '*.example,?ackup', 'shop.example', 22, 'known'],
    ['a dot that is no wildcard', 'shop.example', 'shopXexample', 22, 'unknown'],
    ['a negation', '!shop.example,*.example', 'shop.example', 22, 'unknown'],
    ['another name', 'shop.example', 'shop.example.org', 22, 'unknown'],
  ])('understands %s', (_, hosts, host, port, verdict) => {
    expect(judge(`# a comment\n\n${hosts} ${line['one']}\n`, host, port, 'one')).toBe(verdict);
  });

  it.each([
    ['shop.example', 22],
    ['shop.example', 2222],
  ])('understands names that ssh-keygen has hashed: %s, port %i', async (host, port) => {
    const file = join(folder, `hashed-${port}`);
    await writeFile(file, `${port === 22 ? host : `[${host}]:${port}`} ${line['one']}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file]);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^\|1\|/);
    expect(judge(text, host, port, 'one')).toBe('known');
    expect(judge(text, host, port, 'two')).toBe('changed');
    expect(judge(text, 'other.example', port, 'one')).toBe('unknown');
  });

  it('tells a changed key, and what was expected', () => {
    const lines = parseKnownHosts(`shop ${line['one']}\n`);
    const expected = [fingerprintOf(blob['one'] ?? Buffer.alloc(0))];
    expect(judgeHostKey(lines, 'shop', 22, blob['two'] ?? Buffer.alloc(0))).toEqual({ kind: 'changed', expected });
    // A name without a port says nothing against the key of another port.
    expect(judge(`shop ${line['one']}\n`, 'shop', 2222, 'two')).toBe('unknown');
  });

  it('knows a key beside others, of the same and of other types', () => {
    const text = `shop ${line['two']}\nshop ${line['rsa']}\nshop ${line['one']}\n`;
    expect(judge(text, 'shop', 22, 'one')).toBe('known');
    expect(knownTypes(parseKnownHosts(text), 'shop', 22)).toEqual(['ssh-ed25519', 'ssh-rsa']);
    expect(judge(`shop ${line['rsa']}\n`, 'shop', 22, 'one')).toBe('unknown');
  });

  it('refuses a revoked key, whatever else is said for it', () => {
    expect(judge(`shop ${line['one']}\n@revoked * ${line['one']}\n`, 'shop', 22, 'one')).toBe('revoked');
    expect(judge(`shop ${line['two']}\n@revoked * ${line['one']}\n`, 'shop', 22, 'two')).toBe('known');
  });

  it('trusts neither certificate authorities nor lines that are no keys', () => {
    expect(judge(`@cert-authority * ${line['one']}\n`, 'shop', 22, 'one')).toBe('unknown');
    expect(
      judge(`shop ssh-ed25519 AAAA\nshop ${line['one']?.replace('ssh-ed25519', 'ssh-rsa')}\n`, 'shop', 22, 'one'),
    ).toBe('unknown');
  });
});
