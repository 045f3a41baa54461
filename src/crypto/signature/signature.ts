import { DbBackupError } from '../../errors.ts';

/** Signs a sidecar without its `signature`; `privateKey` is the text of a signing key. Returns the value of `signature`. */
export function signSidecar(_sidecar: object, _privateKey: string): string {
  throw new DbBackupError('UNSUPPORTED', 'not there yet');
}

/** `value`: the sidecar as parsed from JSON, before any schema. Throws SIGNATURE_INVALID: missing, unknown key, altered. */
export function verifySidecar(_value: unknown, _publicKeys: readonly string[]): void {
  throw new DbBackupError('UNSUPPORTED', 'not there yet');
}
