import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encryptionTypes, openDecryptor } from '../../../src/crypto/all.ts';
import { recipientFingerprint } from '../../../src/crypto/fingerprint.ts';
import { readKeyFile } from '../../../src/crypto/key-file.ts';
import { joinKeyRings } from '../../../src/crypto/key-ring.ts';
import { generateKey } from '../../../src/crypto/keygen.ts';
import { wrongKey } from '../../../src/crypto/wrong-key.ts';
import { drive, plaintext, ring, seal } from './drive.ts';

let folder = '';
let identity = '';
let recipient = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-keys-'));
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});
afterAll(() => rm(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const hex = '00112233445566778899aabbccddeeff'.repeat(2);

async function open(type: string, options: object) {
  const adapter = encryptionTypes.find((each) => each.type === type);
  if (!adapter) throw new Error(`no type ${type}`);
  return adapter.open(adapter.options.parse(options), folder);
}

describe('key files', () => {
  it('are refused when others can read them', async () => {
    await writeFile(path('open.key'), hex, { mode: 0o600 });
    for (const mode of [0o640, 0o604, 0o660, 0o644]) {
      await chmod(path('open.key'), mode);
      await expect(readKeyFile(path('open.key'))).rejects.toMatchObject({
        code: 'KEY_FILE_UNSAFE',
        hint: expect.stringContaining('chmod 600'),
      });
    }
    await chmod(path('open.key'), 0o400);
    expect((await readKeyFile(path('open.key'))).keys).toEqual([Buffer.from(hex, 'hex')]);
  });

  it('hold identities and keys, with comments', async () => {
    const base64 = Buffer.alloc(32, 9).toString('base64');
    await writeFile(path('all.key'), `# comment\r\n${identity}\r\n\n${hex.toUpperCase()}\n${base64}`, { mode: 0o600 });
    expect(await readKeyFile(path('all.key'))).toEqual({
      identities: [identity],
      keys: [Buffer.from(hex, 'hex'), Buffer.alloc(32, 9)],
      passphrases: [],
    });
  });

  it('say what is wrong with them, and never show what they hold', async () => {
    const hybrid = await generateHybridIdentity();
    const wrong: [string, string | RegExp][] = [
      ['', 'holds no key'],
      [hex.slice(1), 'is no AES-256 key'],
      [`${hex}00`, 'is no AES-256 key'],
      [identity.slice(0, -1), 'is no age identity'],
      [hybrid, 'post-quantum'],
      ['AGE-PLUGIN-YUBIKEY-1QQQ', 'plugin identity'],
    ];
    for (const [content, message] of wrong) {
      await writeFile(path('wrong.key'), content, { mode: 0o600 });
      const error = await readKeyFile(path('wrong.key')).catch((reason: Error) => reason);
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
      if (content !== '') expect((error as Error).message).not.toContain(content);
    }
    await expect(readKeyFile(path('none.key'))).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    await expect(readKeyFile(folder)).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });
});

describe('keygen', () => {
  it('makes an age identity that the age command knows, 0600, never over a file', async () => {
    const made = await generateKey('age', path('identity.txt'));
    expect((await stat(made.file)).mode & 0o777).toBe(0o600);
    expect(execFileSync('age-keygen', ['-y', made.file], { encoding: 'utf8' }).trim()).toBe(made.publicPart);
    expect(made.fingerprint).toBe(recipientFingerprint(made.publicPart ?? ''));
    const before = await readFile(made.file, 'utf8');
    await expect(generateKey('age', made.file)).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readFile(made.file, 'utf8')).toBe(before);
    expect((await readKeyFile(made.file)).identities).toHaveLength(1);
  });

  it('makes an AES key whose fingerprint is the key id in sidecars', async () => {
    const made = await generateKey('aes-256-gcm', path('backup.key'));
    const profile = await open('aes-256-gcm', { keyFile: 'backup.key' });
    const stage = await (await profile.encryptor('main')).encrypt();
    await seal(stage, [plaintext(10)]);
    expect(stage.result().keyId).toBe(made.fingerprint);
  });
});

describe('profiles', () => {
  it('an AES profile restores with its older keys, found by their ids', async () => {
    const old = await open('aes-256-gcm', { key: hex });
    const stage = await (await old.encryptor()).encrypt();
    const file = await seal(stage, [plaintext(100)]);
    const rotated = await open('aes-256-gcm', { key: Buffer.alloc(32, 1).toString('base64'), previousKeys: [hex] });
    const decryption = await openDecryptor(rotated.keys).decrypt('aes-256-gcm', stage.result());
    const { released } = await drive(decryption, [file]);
    await decryption.opened;
    expect(released.equals(plaintext(100))).toBe(true);
    const without = await open('aes-256-gcm', { key: Buffer.alloc(32, 1).toString('base64') });
    const refused = await openDecryptor(without.keys).decrypt('aes-256-gcm', stage.result());
    const { error } = await drive(refused, [file]);
    expect(error).toMatchObject({ code: 'WRONG_KEY', message: expect.stringContaining(stage.result().keyId ?? '-') });
    await expect(refused.opened).rejects.toBe(error);
  });

  it('an age profile encrypts to its recipients and reads with identities, given or in a file', async () => {
    await writeFile(path('id.txt'), identity, { mode: 0o600 });
    const writer = await open('age', { recipients: [recipient] });
    const stage = await (await writer.encryptor('main')).encrypt();
    const file = await seal(stage, [plaintext(10)]);
    expect(stage.result()).toMatchObject({ profile: 'main', recipients: [recipientFingerprint(recipient)] });
    for (const options of [
      { identities: `# mine\n${identity}` },
      { identities: [identity] },
      { identityFile: 'id.txt' },
    ]) {
      const reader = await open('age', options);
      const { released } = await drive(await openDecryptor(reader.keys).decrypt('age', stage.result()), [file]);
      expect(released.equals(plaintext(10))).toBe(true);
      await expect(reader.encryptor()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });

  it('judge recipients that stand in the config when it is read', () => {
    const written = encryptionTypes.find((each) => each.type === 'age')?.written;
    const typo = recipient.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'));
    expect(written?.safeParse({ recipients: [recipient] }).success).toBe(true);
    for (const wrong of ['age1xyz', typo, identity]) {
      const { error } = written?.safeParse({ recipients: [recipient, wrong] }) ?? {};
      expect(error?.issues.map(({ path: at }) => at)).toEqual([['recipients', 1]]);
      expect(error?.message).not.toContain(wrong);
    }
  });

  it('tell which kind of key was given where another is needed', () => {
    const aes = { identities: [], keys: [Buffer.alloc(32, 1)], passphrases: [] };
    expect(wrongKey('it was encrypted with age', 'identity', aes).message).toBe(
      'it was encrypted with age; no identity was given, only an AES key, which is another kind of key',
    );
    const age = { identities: [identity], keys: [], passphrases: [async () => 'asked'] };
    expect(wrongKey('it was encrypted with the key 1', 'key', age).message).toContain(
      'only an age identity (AGE-SECRET',
    );
    expect(wrongKey('x', 'key', { identities: [], keys: [], passphrases: [] }).message).toBe('x; no key was given');
  });

  it('refuse recipients that not every age command can read, and mistyped ones', async () => {
    const pq = await identityToRecipient(await generateHybridIdentity());
    const ssh = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ';
    const last = recipient.endsWith('q') ? 'p' : 'q';
    await expect(open('age', { recipients: [pq] })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(open('age', { recipients: [ssh] })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    for (const wrong of [recipient.slice(0, -1) + last, recipient.slice(0, -1), identity, 'hello']) {
      const error = await open('age', { recipients: [wrong] }).catch((reason: Error) => reason);
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      expect((error as Error).message).not.toContain(wrong.slice(0, 20));
    }
  });

  it('have strict options', () => {
    const [age, aes] = ['age', 'aes-256-gcm'].map(
      (type) => encryptionTypes.find((each) => each.type === type)?.options,
    );
    const bad = (schema: typeof age, options: object) => expect(schema?.safeParse(options).success).toBe(false);
    bad(age, {});
    bad(age, { recipients: [] });
    bad(age, { recipients: ['a'], passphrase: 'b' });
    bad(age, { recipients: ['a'], key: 'b' });
    bad(aes, {});
    bad(aes, { key: 'a', passphrase: 'b' });
    bad(aes, { key: 'a', recipients: [] });
  });
});

describe('a decryptor', () => {
  it('asks for a passphrase once, and only when a file needs one', async () => {
    const ask = vi.fn(async () => 'typed');
    const keys = joinKeyRings(ring({ keys: [Buffer.from(hex, 'hex')] }), { ...ring({}), passphrases: [ask] });
    const decryptor = openDecryptor(keys);
    const byKey = await (await (await open('aes-256-gcm', { key: hex })).encryptor()).encrypt();
    await drive(await decryptor.decrypt('aes-256-gcm', undefined), [await seal(byKey, [plaintext(5)])]);
    expect(ask).not.toHaveBeenCalled();
    const byPassphrase = await (await (await open('aes-256-gcm', { passphrase: 'typed' })).encryptor()).encrypt();
    const file = await seal(byPassphrase, [plaintext(5)]);
    for (let time = 0; time < 2; time += 1) {
      const { released } = await drive(await decryptor.decrypt('aes-256-gcm', undefined), [file]);
      expect(released.equals(plaintext(5))).toBe(true);
    }
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('refuses a header that is not the pinned one, and a type that is not the recorded one', async () => {
    const profile = await open('aes-256-gcm', { key: hex });
    const [one, other] = [await (await profile.encryptor()).encrypt(), await (await profile.encryptor()).encrypt()];
    const file = await seal(one, [plaintext(5)]);
    await seal(other, [plaintext(5)]);
    const decryptor = openDecryptor(profile.keys);
    const { released, error } = await drive(await decryptor.decrypt('aes-256-gcm', other.result()), [file]);
    expect(released.length).toBe(0);
    expect(error).toMatchObject({
      code: 'INTEGRITY',
      message: expect.stringContaining('not the one the sidecar recorded'),
    });
    await expect(decryptor.decrypt('age', one.result())).rejects.toMatchObject({ code: 'INTEGRITY' });
    const mistyped = await drive(await decryptor.decrypt('age', undefined), [file]);
    expect(mistyped.error?.message).toContain('no age v1 file');
  });
});
