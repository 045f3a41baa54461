/**
 * A folder with all that is needed to decrypt our aes-256-gcm files without dbbackup: a short script for plain Node,
 * a README with the commands, and the keys if they are wanted in. Files of type age need only the `age` command.
 */
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DbBackupError, messageOf } from '../../errors.ts';
import { builtFile } from '../../installation.ts';
import { keyId } from '../aes-256-gcm/key-schedule.ts';
import type { KeyRing } from '../key-ring.ts';
import { recoveryReadme } from './readme.ts';

export interface RecoveryKitOptions {
  /** Keys to put in, each in a file of its own (0600); none = the kit holds no secret. Prompts are not asked. */
  readonly keys?: KeyRing;
}

/**
 * Writes a new folder (0700) and returns its files' paths. Throws USAGE when the folder exists or cannot be made:
 * nothing is overwritten.
 */
export async function writeRecoveryKit(folder: string, options: RecoveryKitOptions = {}): Promise<readonly string[]> {
  const script = await readFile(builtFile('crypto/recovery-kit/decrypt.mjs'), 'utf8');
  const secrets = secretFiles(options.keys);
  const files: readonly [string, string, number][] = [
    ['decrypt.mjs', script, 0o600],
    ['README.txt', recoveryReadme(secrets.map(([name]) => name)), 0o600],
    ...secrets.map(([name, content]): [string, string, number] => [name, content, 0o600]),
  ];
  try {
    await mkdir(folder, { mode: 0o700 });
    for (const [name, content, mode] of files) await writeNew(join(folder, name), content, mode);
  } catch (cause) {
    throw new DbBackupError('USAGE', `recovery kit ${folder} cannot be written: ${messageOf(cause)}`, {
      hint: 'Name a new folder inside one that exists.',
      cause,
    });
  }
  return files.map(([name]) => join(folder, name));
}

/** Under the names that the sidecars' `recover` lines use; current and previous keys in one file. */
function secretFiles(ring: KeyRing | undefined): readonly (readonly [string, string])[] {
  if (ring === undefined) return [];
  const keys = ring.keys.map((key) => `# key id: ${keyId(key).toString('hex')}\n${key.toString('hex')}\n`);
  const passphrases = ring.passphrases.filter((source) => typeof source === 'string');
  return [
    ...(keys.length > 0 ? [['backup.key', keys.join('')] as const] : []),
    ...passphrases.map((text, at) => [at === 0 ? 'passphrase.txt' : `passphrase-${at + 1}.txt`, `${text}\n`] as const),
    ...(ring.identities.length > 0 ? [['identity.txt', `${ring.identities.join('\n')}\n`] as const] : []),
  ];
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
