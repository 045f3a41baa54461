/** Keys as text: what stands in key files, in the configuration and in environment variables. */
import { DbBackupError } from '../errors.ts';
import { registerSecret } from '../redact.ts';
import type { KeyRing } from './key-ring.ts';

const keygenHint = 'Make one with: dbbackup keygen';

/**
 * The lines of a key text, without blank lines and `#` comments; each is registered as a secret.
 * Whoever parses them names a line by `where`, never by its content.
 */
export function keyLines(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  for (const key of keys) registerSecret(key);
  return keys;
}

/** One AES-256 key: 64 hex digits, or base64 of 32 bytes. Throws CONFIG_INVALID. */
export function parseAesKey(text: string, where: string): Buffer {
  const [line, ...more] = keyLines(text);
  const key = line === undefined || more.length > 0 ? undefined : decodeAesKey(line);
  if (key !== undefined) return key;
  throw new DbBackupError(
    'CONFIG_INVALID',
    `${where} is no AES-256 key: it must be 64 hex digits or base64 of 32 bytes`,
    {
      hint: keygenHint,
    },
  );
}

/** age identities, comments allowed. Throws CONFIG_INVALID. */
export function parseIdentities(text: string, where: string): readonly string[] {
  const lines = keyLines(text);
  const wrong = lines.find((line) => !isIdentity(line));
  if (lines.length > 0 && wrong === undefined) return lines;
  const problem = lines.length === 0 ? 'holds no age identity' : describeWrongIdentity(wrong ?? '');
  throw new DbBackupError('CONFIG_INVALID', `${where} ${problem}`, { hint: keygenHint });
}

/** Any of our key texts: age identities and AES keys, one a line. Throws CONFIG_INVALID. */
export function parseKeyText(text: string, where: string): KeyRing {
  const lines = keyLines(text);
  if (lines.length === 0) throw new DbBackupError('CONFIG_INVALID', `${where} holds no key`, { hint: keygenHint });
  const isAge = (line: string) => line.toUpperCase().startsWith('AGE-');
  const ages = lines.filter(isAge);
  return {
    identities: ages.length === 0 ? [] : parseIdentities(ages.join('\n'), where),
    keys: lines.filter((line) => !isAge(line)).map((line) => parseAesKey(line, where)),
    passphrases: [],
  };
}

function decodeAesKey(line: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(line)) return registered(Buffer.from(line, 'hex'));
  const key = Buffer.from(line, 'base64');
  return key.length === 32 && key.toString('base64') === line ? registered(key) : undefined;
}

function registered(key: Buffer): Buffer {
  registerSecret(key.toString('hex'));
  registerSecret(key.toString('base64'));
  return key;
}

function isIdentity(line: string): boolean {
  return /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/.test(line);
}

function describeWrongIdentity(line: string): string {
  if (line.startsWith('age1'))
    return 'holds a recipient (age1…), which is the public half; the identity is AGE-SECRET-KEY-1…';
  if (line.startsWith('AGE-SECRET-KEY-PQ-'))
    return 'holds a post-quantum identity, which the age of Debian stable cannot use';
  if (line.startsWith('AGE-PLUGIN-'))
    return 'holds a plugin identity, which dbbackup cannot use; decrypt with the age command';
  return 'is no age identity: each line must be AGE-SECRET-KEY-1… or a # comment';
}
