/** The keys for reading: `--identity` files first, then the config's encryption profiles, then a prompt. */
import { resolve } from 'node:path';
import { openDecryptor } from '../crypto/all.ts';
import type { Decryptor } from '../crypto/encryption.ts';
import { readKeyFile } from '../crypto/key-file.ts';
import { joinKeyRings, type KeyRing } from '../crypto/key-ring.ts';
import { DbBackupError } from '../errors.ts';
import { openEncryption } from '../operation/open-adapter.ts';
import type { Runtime } from '../operation/runtime.ts';
import { registerSecret } from '../redact.ts';
import type { App } from './app.ts';

export interface KeyOptions {
  /** Paths of key files. */
  readonly identity?: readonly string[];
}

/**
 * A profile whose secret cannot be had is passed over: a restore with `--identity` must not fail for the sake of
 * another key. It is told when no key fits.
 */
export async function decryptorFrom(options: KeyOptions, runtime: Runtime, app: App): Promise<Decryptor> {
  const rings: KeyRing[] = [];
  for (const path of options.identity ?? []) rings.push(await readKeyFile(resolve(app.workingFolder, path)));
  const passedOver: unknown[] = [];
  for (const definition of runtime.config?.encryption.values() ?? []) {
    try {
      rings.push((await openEncryption(definition, runtime)).keys);
    } catch (error) {
      passedOver.push(error);
    }
  }
  const decryptor = openDecryptor(joinKeyRings(...rings, { identities: [], keys: [], passphrases: [prompt(app)] }));
  return {
    async decrypt(type, pinned) {
      try {
        return await decryptor.decrypt(type, pinned);
      } catch (error) {
        if (passedOver.length === 0 || !(error instanceof DbBackupError) || error.code !== 'WRONG_KEY') throw error;
        throw new DbBackupError('WRONG_KEY', error.message, { hint: error.hint, cause: passedOver[0] });
      }
    },
  };
}

function prompt(app: App): () => Promise<string> {
  return async () => {
    if (!app.stdin.isTTY || !app.stderr.isTTY) {
      throw new DbBackupError('WRONG_KEY', 'the backup needs a passphrase, and there is no terminal to ask on', {
        hint: 'Put the passphrase into an encryption profile of the config, as a reference to a variable or a file.',
      });
    }
    const { password } = await import('@inquirer/prompts');
    const passphrase = await password(
      { message: 'Passphrase of the backup:' },
      { input: app.stdin as NodeJS.ReadStream, output: app.stderr as NodeJS.WriteStream, signal: app.signal },
    );
    registerSecret(passphrase);
    return passphrase;
  };
}
