/**
 * Signatures around the sidecar: new backups are signed where the config has a key; with pinned public keys nothing
 * that they have not signed is restored, downloaded or called verified. Without the config, keys may come by a flag.
 */
import type { SigningOptions } from '../config/schema.ts';
import { signSidecar, verifySidecar } from '../crypto/signature/signature.ts';
import { DbBackupError } from '../errors.ts';
import type { Sidecar } from '../sidecar/sidecar.ts';
import type { Runtime } from './runtime.ts';
import { describeBackup, type StoredBackup } from './storage/stored-backup.ts';

/** Signs sidecars with the config's key; undefined where there is none. Throws before a dump when the key is unusable. */
export async function openSigner(runtime: Runtime): Promise<((sidecar: Sidecar) => Sidecar) | undefined> {
  const { key } = await signingOptions(runtime);
  if (key === undefined) return undefined;
  signSidecar({}, key);
  return (sidecar) => ({ ...sidecar, signature: signSidecar(sidecar, key) });
}

/** Throws SIGNATURE_INVALID when keys are pinned and none of them has signed this backup. */
export async function assertTrusted(backup: StoredBackup, runtime: Runtime): Promise<void> {
  const { trust } = await signingOptions(runtime);
  const pinned = [...runtime.trustedKeys, ...trust];
  if (pinned.length === 0) return;
  if (backup.sidecarJson === undefined) {
    throw new DbBackupError(
      'SIGNATURE_INVALID',
      `${describeBackup(backup)} has no sidecar, so nothing says who made it`,
      {
        hint: 'Public keys are pinned (signing.trust or --trust), so only signed backups are read.',
      },
    );
  }
  verifySidecar(backup.sidecarJson, pinned);
}

async function signingOptions(runtime: Runtime): Promise<SigningOptions> {
  return (await runtime.signing()) ?? { trust: [] };
}
