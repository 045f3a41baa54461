/** The `age` command of the distribution reads what we write, and we read what it writes. Throws where it is missing. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import { encryptAge } from '../../../src/crypto/age/writer.ts';
import { drive, plaintext, ring, seal } from './drive.ts';

const sizes = [0, 1, 65535, 65536, 65537, 131072, 1024 * 1024];
const passphrase = 'correct-horse-battery';
let folder = '';
let identity = '';
let recipient = '';

beforeAll(async () => {
  if (spawnSync('age', ['--version']).error) throw new Error('this test needs the age command: apt-get install age');
  folder = mkdtempSync(join(tmpdir(), 'dbbackup-age-'));
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  writeFileSync(path('identity.txt'), `# a test key\n${identity}\n`, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);

/** What age writes to its standard output: with -o, age 1.1 makes no file where the plaintext is empty. */
function age(...args: string[]): Buffer {
  const run = spawnSync('age', args, { maxBuffer: 8 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`age ${args.join(' ')}: ${run.stderr.toString()}`);
  return run.stdout;
}

/** age asks on its terminal only: script(1) makes one, and the passphrase is typed at each prompt. */
function ageOnTerminal(command: string): Promise<void> {
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let answered = 0;
  child.stdout.on('data', (text: Buffer) => {
    shown += text.toString();
    const prompts = shown.match(/passphrase[^\n]*:/gi)?.length ?? 0;
    for (; answered < prompts; answered += 1) child.stdin.write(`${passphrase}\n`);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: ${shown}`))));
  });
}

describe('the age command', () => {
  it.each(sizes)('decrypts ours with an identity: %i bytes', async (size) => {
    const other = await identityToRecipient(await generateX25519Identity());
    const file = await seal(await encryptAge({ recipients: [other, recipient] }), [plaintext(size)]);
    writeFileSync(path('ours.age'), file);
    expect(age('-d', '-i', path('identity.txt'), path('ours.age')).equals(plaintext(size))).toBe(true);
  });

  it.each(sizes)('encrypts to a recipient, and we decrypt: %i bytes', async (size) => {
    writeFileSync(path('plain'), plaintext(size));
    const theirs = age('-r', recipient, path('plain'));
    const { released, error } = await drive(decryptAge(ring({ identities: [identity] }), undefined), [theirs]);
    expect(error).toBeUndefined();
    expect(released.equals(plaintext(size))).toBe(true);
  });

  it.each([0, 65537])('decrypts ours with a passphrase: %i bytes', async (size) => {
    writeFileSync(path('secret.age'), await seal(await encryptAge({ passphrase }), [plaintext(size)]));
    await ageOnTerminal(`age -d ${path('secret.age')} > ${path('secret')}`);
    expect(readFileSync(path('secret')).equals(plaintext(size))).toBe(true);
  });

  it.each([0, 65537])('encrypts with a passphrase, and we decrypt: %i bytes', async (size) => {
    writeFileSync(path('plain'), plaintext(size));
    rmSync(path('asked.age'), { force: true });
    await ageOnTerminal(`age -p -o ${path('asked.age')} ${path('plain')}`);
    const { released, error } = await drive(decryptAge(ring({ passphrases: [passphrase] }), undefined), [
      readFileSync(path('asked.age')),
    ]);
    expect(error).toBeUndefined();
    expect(released.equals(plaintext(size))).toBe(true);
  });
});
