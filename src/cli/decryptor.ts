/**
 * The keys for reading: `--identity` files, the config's encryption profiles of the file's type, and, on a terminal, a
 * prompt. A profile whose secret cannot be had is passed over, because a restore with `--identity` must not fail for the
 * sake of another key; it is told when no key fits.
 */
import { resolve } from 'node:path';
import { openDecryptor } from '../crypto/all.ts';
import type { Decryptor, EncryptionType } from '../crypto/encryption.ts';
import { readKeyFile } from '../crypto/key-file.ts';
import { emptyKeyRing, joinKeyRings, type KeyRing } from '../crypto/key-ring.ts';
import { DbBackupError } from '../errors.ts';
import { openEncryption } from '../operation/open-adapter.ts';
import type { Runtime } from '../operation/runtime.ts';
import { registerSecret } from '../redact.ts';
import type { App } from './app.ts';

export interface KeyOptions {
  /** Paths of key files. */
  readonly identity?: readonly string[];
  /** Runs a question while nothing else is drawn on the terminal. */
  undisturbed<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
}

export async function decryptorFrom(options: KeyOptions, runtime: Runtime, app: App): Promise<Decryptor> {
  const given: KeyRing[] = [];
  for (const path of options.identity ?? []) given.push(await readKeyFile(resolve(app.workingFolder, path)));
  const opened = new Map<EncryptionType, Promise<Decryptor>>();
  const open = async (type: EncryptionType) =>
    openDecryptor(joinKeyRings(...given, ...(await profileRings(type, runtime)), promptRing(options, app)));
  return {
    async decrypt(type, pinned) {
      const decryptor = opened.get(type) ?? open(type);
      opened.set(type, decryptor);
      return (await decryptor).decrypt(type, pinned);
    },
  };
}

async function profileRings(type: EncryptionType, runtime: Runtime): Promise<KeyRing[]> {
  const definitions = [...(runtime.config?.encryption.values() ?? [])].filter((each) => each.type === type);
  const rings: KeyRing[] = [];
  for (const definition of definitions) {
    const ring = openEncryption(definition, runtime).then(({ keys }) => keys);
    rings.push(await ring.catch((error: unknown) => ({ ...emptyKeyRing, missing: [error] })));
    runtime.signal.throwIfAborted();
  }
  return rings;
}

function promptRing(options: KeyOptions, app: App): KeyRing {
  if (!app.stdin.isTTY || !app.stderr.isTTY) return emptyKeyRing;
  return { ...emptyKeyRing, passphrases: [() => options.undisturbed(() => askPassphrase(app))] };
}

async function askPassphrase(app: App): Promise<string> {
  const { password } = await import('@inquirer/prompts');
  try {
    const passphrase = await password(
      { message: 'Passphrase of the backup:' },
      { input: app.stdin as NodeJS.ReadStream, output: app.stderr as NodeJS.WriteStream, signal: app.signal },
    );
    registerSecret(passphrase);
    return passphrase;
  } catch (cause) {
    // Ctrl-C at the prompt; said here, because on its way out it would become a failure of the pipeline.
    throw app.signal.aborted
      ? app.signal.reason
      : new DbBackupError('INTERRUPTED', 'no passphrase was given', { cause });
  }
}
