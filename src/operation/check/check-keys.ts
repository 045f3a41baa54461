/** What is secret: present, readable, ours alone, and fit for what it is there for. */
import type { AdapterDefinition } from '../../config/config.ts';
import { type Finding, ok, warn } from '../../finding.ts';
import { openChannel } from '../notify/open-channel.ts';
import { openEncryption } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { openSigner } from '../signing.ts';

/** Opening reads the key files and refuses those that others can reach. */
export async function* checkEncryption(definition: AdapterDefinition, runtime: Runtime): AsyncGenerator<Finding> {
  const profile = await openEncryption(definition, runtime);
  await profile.encryptor(definition.name);
  const { identities, keys, passphrases } = profile.keys;
  const count = identities.length + keys.length + passphrases.length;
  yield ok(
    count > 0
      ? 'its keys are there, ours alone, and can encrypt and decrypt'
      : 'it can encrypt; the keys to decrypt are elsewhere',
  );
  const { recipients } = definition.options;
  if (Array.isArray(recipients) && recipients.length === 1) {
    yield warn(
      'only one recipient can open the backups: if its key is lost, all of them are',
      'Add a second recipient whose identity lies in a safe place; `dbbackup keygen` makes one.',
    );
  }
}

export async function* checkSigning(runtime: Runtime): AsyncGenerator<Finding> {
  if (await openSigner(runtime)) yield ok('new backups are signed');
  const { length } = await runtime.trustedKeys();
  if (length > 0) yield ok(`restores insist on one of ${length} public keys`);
}

/** Nothing is sent: `dbbackup notify test` does that. */
export async function* checkNotification(definition: AdapterDefinition, runtime: Runtime): AsyncGenerator<Finding> {
  await openChannel(definition, runtime);
  yield ok(`its settings are complete; \`dbbackup notify test ${definition.name}\` sends a message`);
}
