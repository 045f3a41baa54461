/**
 * What a bundle says of itself: `manifest.json`, its first entry, lists the members to come; `end.json`, its last, what
 * has come. A bundle without `end.json` is incomplete.
 */
import { z } from 'zod';
import { DbBackupError } from '../../errors.ts';

export const manifestName = 'manifest.json';
export const endName = 'end.json';
/** Of the server's own objects: no encoded name of a database holds an `@`. */
export const globalsFolder = '@globals';
/** Bytes; a hundred thousand tables are about 5 MB. */
export const listLimit = 64 * 1024 * 1024;

const folder = z.string().regex(/^(@globals|[A-Za-z0-9_%][A-Za-z0-9_%-]*)$/, 'expected an encoded name');
const extension = z.string().regex(/^\.[A-Za-z0-9]+$/);

const memberSchema = z.object({
  /** Of its parts in the archive: `tar -xOf bundle.tar <folder>` gives the member whole. */
  folder,
  kind: z.enum(['globals', 'database']),
  /** Of the database as its server has it. */
  name: z.string(),
  /** The engine's dump format, as in a sidecar's `artifact.format`. */
  format: z.string(),
  extension,
});

const manifestSchema = z.object({
  bundle: z.string().regex(/^1\.\d+$/),
  sourceType: z.string(),
  members: z
    .array(memberSchema)
    .min(1)
    .refine((members) => new Set(members.map((each) => each.folder)).size === members.length, 'a folder comes twice'),
});

export const memberSumSchema = z.object({
  folder,
  parts: z.number().int().positive(),
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const endSchema = z.object({
  end: z.string().regex(/^1\.\d+$/),
  members: z.array(memberSumSchema.extend({ tables: z.record(z.string(), z.number().nullable()).optional() })),
});

export type ManifestMember = z.infer<typeof memberSchema>;
export type BundleManifest = z.infer<typeof manifestSchema>;
export type MemberSum = z.infer<typeof memberSumSchema>;
export type BundleEnd = z.infer<typeof endSchema>;

/** How a file begins that is a bundle: behind the header of its first entry. */
export const manifestStart = '{"bundle":"1.';

/** Letters, digits and `_` stay, `-` where it is not the first; of every other byte its percent code. */
export function encodeFolder(name: string): string {
  const bytes = [...Buffer.from(name)];
  return bytes.map((byte, at) => encodeByte(String.fromCharCode(byte), byte, at)).join('');
}

function encodeByte(letter: string, byte: number, at: number): string {
  const stays = /[A-Za-z0-9_]/.test(letter) || (letter === '-' && at > 0);
  return stays ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

export function partPath({ folder: place, extension: ending }: ManifestMember, number: number): string {
  return `${place}/${String(number).padStart(6, '0')}${ending}`;
}

export function parseManifest(content: Buffer): BundleManifest {
  return parse(manifestSchema, manifestName, content);
}

export function parseEnd(content: Buffer): BundleEnd {
  return parse(endSchema, endName, content);
}

function parse<Value>(schema: z.ZodType<Value>, name: string, content: Buffer): Value {
  try {
    return schema.parse(JSON.parse(content.toString('utf8')));
  } catch (cause) {
    throw new DbBackupError('INTEGRITY', `the bundle's ${name} cannot be understood`, {
      cause,
      hint: 'It was damaged, or written by a newer dbbackup.',
    });
  }
}
