/**
 * `.meta.json`, version 1.0: everything that makes a backup understandable when config, history and this tool are gone.
 * Written once, last, and never changed. Guarantees: what is read was parsed within a size limit and matches the
 * schema; unknown fields are kept out of the way within the major version; a newer major is refused by name.
 * Refuses: artifact names that are paths (F34), so that a hostile sidecar cannot name a file elsewhere.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DbBackupError } from '../errors.ts';

export const sidecarExtension = '.meta.json';
export const sidecarVersion = '1.0';
/** Bytes; a sidecar of 100,000 tables is about 5 MB. */
export const sidecarLimit = 16 * 1024 * 1024;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits');
const byteCount = z.number().int().nonnegative();
const patterns = z.array(z.string()).optional();

const artifactName = z
  .string()
  .min(1)
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  .regex(/^(?!\.)[^/\\\u0000-\u001f\u007f]+$/, 'expected a plain file name');

const databaseSchema = z.object({
  name: z.string(),
  tables: z.record(z.string(), z.number().int().nonnegative().nullable()),
  properties: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])).optional(),
});

const encryptionSchema = z.object({
  type: z.enum(['age', 'aes-256-gcm']),
  profile: z.string().optional(),
  recipients: z.array(z.string()).optional(),
  keyId: z.string().optional(),
  salt: z.string().optional(),
  passphrase: z.boolean().optional(),
  headerSha256: sha256,
});

/** A dump inside a bundle: `tar -xOf <artifact> <folder>` gives it whole. */
const memberSchema = z.object({
  folder: z.string().regex(/^[A-Za-z0-9_%@][A-Za-z0-9_%-]*$/, 'expected an encoded name'),
  kind: z.enum(['globals', 'database']),
  /** Of the database. */
  name: z.string(),
  /** The engine's dump format. */
  format: z.string(),
  parts: byteCount,
  bytes: byteCount,
  sha256,
});

export const sidecarSchema = z
  .object({
    version: z.string().regex(/^1\.\d+$/),
    id: z.uuid(),
    tool: z.object({ name: z.string(), version: z.string() }),
    job: z.object({ name: z.string() }),
    source: z.object({
      name: z.string(),
      type: z.string(),
      label: z.string().optional(),
      fingerprint: z.string(),
      serverVersion: z.string().optional(),
      tool: z.string().optional(),
      toolVersion: z.string(),
      databases: z.array(z.string()),
    }),
    backupType: z.enum(['full', 'schema', 'data']),
    filter: z
      .object({ include: patterns, exclude: patterns, includeSchemas: patterns, excludeSchemas: patterns })
      .optional(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    durationMs: z.number().nonnegative(),
    host: z.string(),
    trigger: z.string(),
    note: z.string().optional(),
    artifact: z.object({
      name: artifactName,
      format: z.string(),
      rawBytes: byteCount,
      storedBytes: byteCount,
      rawSha256: sha256,
      storedSha256: sha256,
    }),
    compression: z.object({ type: z.enum(['none', 'gzip', 'brotli', 'zstd', 'bzip2']), level: z.number().optional() }),
    encryption: encryptionSchema.optional(),
    contents: z.array(databaseSchema),
    /** There when `artifact.format` is `bundle`: what it holds, in its order. */
    bundle: z.object({ members: z.array(memberSchema).min(1) }).optional(),
    recover: z.array(z.string()),
    signature: z.string().optional(),
  })
  .describe('dbbackup sidecar 1.0: describes the backup that stands beside it');

export type Sidecar = z.infer<typeof sidecarSchema>;
export type SidecarMember = z.infer<typeof memberSchema>;

/** The bytes that are stored: indented, for the person who opens the file at 3 a.m. */
export function serializeSidecar(sidecar: Sidecar): Buffer {
  return Buffer.from(`${JSON.stringify(sidecar, null, 2)}\n`);
}

/** A sidecar and the JSON it was parsed from, which is what a signature speaks for. */
export interface ParsedSidecar {
  readonly sidecar: Sidecar;
  readonly json: unknown;
}

/** Parses stored bytes; `where` names the object in the message. Throws SIDECAR_INVALID. */
export function parseSidecar(content: Buffer, where: string): ParsedSidecar {
  const json = parseJson(content, where);
  refuseNewerMajor(json, where);
  const parsed = sidecarSchema.safeParse(json);
  if (parsed.success) return { sidecar: parsed.data, json };
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new DbBackupError('SIDECAR_INVALID', `sidecar ${where} is not valid: ${problems.join('; ')}`, {
    hint: 'The sidecar was damaged or edited. The backup file itself may be whole: copy it elsewhere and restore it without a sidecar.',
  });
}

function parseJson(content: Buffer, where: string): unknown {
  if (content.length > sidecarLimit) {
    throw new DbBackupError('LIMIT_EXCEEDED', `sidecar ${where} is larger than ${sidecarLimit} bytes`);
  }
  try {
    return JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new DbBackupError('SIDECAR_INVALID', `sidecar ${where} is not JSON`, { cause });
  }
}

function refuseNewerMajor(value: unknown, where: string): void {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'string' && /^\d+\.\d+$/.test(version) && !version.startsWith('1.')) {
    throw new DbBackupError('SIDECAR_INVALID', `sidecar ${where} has version ${version}; this dbbackup reads 1.x`, {
      hint: 'Install a newer dbbackup, or follow the "recover" lines in the sidecar.',
    });
  }
}

/** Tells two sources under one job name apart without storing where they are: 16 hex digits. */
export function sourceFingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
