/**
 * `.state.json`: everything about a backup that changes after it was written. Rewritten atomically; losing it loses no
 * backup. A state that cannot be read protects its backup: `readState` throws, and whoever wanted to delete does not.
 */
import { z } from 'zod';
import { DbBackupError } from '../errors.ts';

export const stateExtension = '.state.json';
/** Bytes. */
export const stateLimit = 4 * 1024 * 1024;
/** Older verifications are dropped, so that a nightly `verify` does not let the file grow for ever. */
const keptVerifications = 50;

const verificationSchema = z.object({
  at: z.iso.datetime(),
  kind: z.enum(['verify', 'drill']),
  result: z.enum(['passed', 'failed']),
  error: z.string().optional(),
});

const stateSchema = z.looseObject({
  version: z.string().regex(/^1\.\d+$/),
  locked: z.object({ at: z.iso.datetime(), reason: z.string().optional() }).optional(),
  verifications: z.array(verificationSchema).default([]),
  suspect: z.object({ reason: z.string() }).optional(),
  accepted: z.object({ at: z.iso.datetime(), reason: z.string().optional() }).optional(),
  /** By `prune --adopt`: retention treats it as a backup of the source with this fingerprint. */
  adopted: z.object({ at: z.iso.datetime(), fingerprint: z.string() }).optional(),
  deleting: z.object({ at: z.iso.datetime() }).optional(),
});

export type BackupState = z.infer<typeof stateSchema>;
export type Verification = z.infer<typeof verificationSchema>;

export const emptyState: BackupState = { version: '1.0', verifications: [] };

export function serializeState(state: BackupState): Buffer {
  const verifications = state.verifications.slice(-keptVerifications);
  return Buffer.from(`${JSON.stringify({ ...state, verifications }, null, 2)}\n`);
}

/** Throws SIDECAR_INVALID when the state cannot be understood; its backup must then be treated as locked. */
export function parseState(content: Buffer, where: string): BackupState {
  try {
    return stateSchema.parse(JSON.parse(content.toString('utf8')));
  } catch (cause) {
    throw new DbBackupError('SIDECAR_INVALID', `state file ${where} cannot be read`, {
      cause,
      hint: 'The backup is protected until the state file is repaired or removed by hand; the backup itself is not affected.',
    });
  }
}
