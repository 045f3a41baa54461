/**
 * Signatures around the sidecar: new backups are signed where the config has a key; with pinned public keys nothing
 * that they have not signed is restored, downloaded or called verified. Without the config, keys may come by a flag.
 */
import { basename } from 'node:path/posix';
import { signSidecar, verifySidecar } from '../crypto/signature/signature.ts';
import { DbBackupError, wrapError } from '../errors.ts';
import type { Sidecar } from '../sidecar/sidecar.ts';
import type { Runtime } from './runtime.ts';
import { describeBackup, type StoredBackup } from './storage/stored-backup.ts';

/** Signs sidecars with the config's key; undefined where there is none. Throws before a dump when the key is unusable. */
export async function openSigner(runtime: Runtime): Promise<((sidecar: Sidecar) => Sidecar) | undefined> {
  const key = await runtime.signingKey();
  if (key === undefined) return undefined;
  signSidecar({}, key);
  return (sidecar) => ({ ...sidecar, signature: signSidecar(sidecar, key) });
}

/** Throws SIGNATURE_INVALID when keys are pinned and none of them has signed this backup under this name. */
export async function assertTrusted(backup: StoredBackup, runtime: Runtime): Promise<void> {
  const pinned = await runtime.trustedKeys();
  if (pinned.length === 0) return;
  const where = describeBackup(backup);
  if (backup.sidecar === undefined || backup.sidecarJson === undefined) {
    throw new DbBackupError('SIGNATURE_INVALID', `${where} has no sidecar, so nothing says who made it`, {
      hint: 'Public keys are pinned (signing.trust or --trust), so only signed backups are read.',
    });
  }
  try {
    verifySidecar(backup.sidecarJson, pinned);
  } catch (cause) {
    throw wrapError(cause, 'SIGNATURE_INVALID', `${where} is not from a trusted signer`);
  }
  const { name } = backup.sidecar.artifact;
  if (name === basename(backup.key)) return;
  throw new DbBackupError('SIGNATURE_INVALID', `${where} is not what was signed: its sidecar is that of ${name}`, {
    hint: 'One backup stands under the name of another. If you renamed it yourself, give it its old name.',
  });
}
