/**
 * How a stored file must be read: from its sidecar, or, where there is none, from the file itself. Then each layer's
 * magic bytes say what it is; brotli has none and is known by its extension.
 */
import type { Readable } from 'node:stream';
import {
  type Decryptor,
  type EncryptionRecord,
  type EncryptionType,
  encryptionByExtension,
} from '../../crypto/encryption.ts';
import { DbBackupError } from '../../errors.ts';
import { codecByExtension, codecs } from '../../pipeline/compression/all.ts';
import type { CompressionType } from '../../pipeline/compression/compression.ts';
import { peek } from '../../pipeline/peek.ts';
import { readThrough } from '../../pipeline/run.ts';
import type { SourceType } from '../../source/source.ts';
import { bundleFormat } from '../bundle/bundle-format.ts';
import { describeBackup, type StoredBackup } from './stored-backup.ts';

export interface ContentDescription {
  /** Undefined when the engine cannot be told. */
  readonly sourceType?: string;
  readonly format?: string;
  readonly compression: CompressionType;
  readonly encryption?: { readonly type: EncryptionType; readonly record?: EncryptionRecord };
  readonly stored?: { readonly bytes: number; readonly sha256: string };
  readonly raw?: { readonly bytes: number; readonly sha256: string };
}

/** A bundle says what it is behind the header of its first entry. */
const headBytes = 1024;

const layers: readonly { is: EncryptionType | CompressionType; magic: Buffer }[] = [
  { is: 'age', magic: Buffer.from('age-encryption.org/v1\n') },
  { is: 'aes-256-gcm', magic: Buffer.from('89444245 0d0a1a0a'.replace(' ', ''), 'hex') },
  { is: 'gzip', magic: Buffer.from('1f8b08', 'hex') },
  { is: 'zstd', magic: Buffer.from('28b52ffd', 'hex') },
  { is: 'bzip2', magic: Buffer.from('BZh') },
];

const formats: readonly { sourceType: string; format: string; magic: Buffer }[] = [
  { sourceType: 'sqlite', format: 'sqlite', magic: Buffer.from('SQLite format 3\0') },
  { sourceType: 'postgres', format: 'custom', magic: Buffer.from('PGDMP') },
  { sourceType: 'sqlite', format: 'sql', magic: Buffer.from('PRAGMA foreign_keys=OFF;') },
  { sourceType: 'postgres', format: 'plain', magic: Buffer.from('--\n-- PostgreSQL database dump\n') },
  { sourceType: 'mysql', format: 'sql', magic: Buffer.from('/*M!999999\\- enable the sandbox mode */') },
  { sourceType: 'mysql', format: 'sql', magic: Buffer.from('-- MariaDB dump ') },
  { sourceType: 'mysql', format: 'sql', magic: Buffer.from('-- MySQL dump ') },
];

const bundleStart = /^manifest\.json\0.{498}\{"bundle":"1\.\d+","sourceType":"([a-z0-9-]+)"/s;

/** Several dumps in one; `sourceType` is that of all of them. */
export function isBundle({ format }: Pick<ContentDescription, 'format'>): boolean {
  return format === bundleFormat.name;
}

/** From the sidecar alone; nothing is read. */
export function describeFromSidecar(backup: StoredBackup): ContentDescription | undefined {
  const { sidecar } = backup;
  if (!sidecar) return undefined;
  const { artifact, encryption } = sidecar;
  return {
    sourceType: sidecar.source.type,
    format: artifact.format,
    compression: sidecar.compression.type,
    encryption: encryption && { type: encryption.type, record: encryption },
    stored: { bytes: artifact.storedBytes, sha256: artifact.storedSha256 },
    raw: { bytes: artifact.rawBytes, sha256: artifact.rawSha256 },
  };
}

/**
 * Reads the head of the file, layer by layer: at most one encryption and inside it one compression, as we write them.
 * Whatever a hostile file nests deeper is content of an unknown format. `decryptor` is asked for only when the file is
 * encrypted.
 */
export async function describeFromBytes(
  backup: StoredBackup,
  decryptor: () => Promise<Decryptor>,
  sources: readonly SourceType[],
  signal: AbortSignal,
): Promise<ContentDescription> {
  let encryption: EncryptionType | undefined;
  let compression: CompressionType = 'none';
  let { head, stream } = await peek(await backup.on.destination.get(backup.key, { signal }), headBytes);
  try {
    const next = () => (compression === 'none' ? layerOf(head, backup.key, encryption !== undefined) : undefined);
    for (let layer = next(); layer; layer = next()) {
      const stage = isEncryption(layer)
        ? await (await decryptor()).decrypt(layer, undefined)
        : await codecs[layer].decompress(signal);
      if (isEncryption(layer)) encryption = layer;
      else compression = layer;
      const opened = readThrough({
        source: stream,
        stages: [{ name: isEncryption(layer) ? 'decrypt' : 'decompress', stream: stage, result: () => undefined }],
        signal,
      });
      ({ head, stream } = await peek(opened, headBytes));
    }
  } finally {
    discard(stream);
  }
  const known = formatByMagic(head);
  if (!known) refuseDamagedHead(backup, [encryption, compression]);
  const format = known ?? formatByName(backup.key, sources);
  return { ...format, compression, encryption: encryption && { type: encryption } };
}

/**
 * A name that tells of a layer which the bytes do not have, and bytes that tell nothing at all: read as they are they would
 * be taken for the dump itself.
 */
function refuseDamagedHead(backup: StoredBackup, found: readonly (string | undefined)[]): void {
  const [extensions = ''] = layerExtensions.exec(backup.key) ?? [];
  const named = extensions.match(/\.\w+/g) ?? [];
  const expected = named.map((each) => encryptionByExtension[each] ?? codecByExtension(each)?.type);
  const missing = expected.find((layer) => !found.includes(layer));
  if (missing === undefined) return;
  throw new DbBackupError('INTEGRITY', `${describeBackup(backup)} is called ${missing}, and does not begin as such`, {
    hint: 'Its beginning is damaged: use another copy of this backup. If only its name is wrong, rename it.',
  });
}

const layerExtensions = /(\.(gz|br|zst|bz2|age|enc))+$/;

function isEncryption(layer: EncryptionType | CompressionType): layer is EncryptionType {
  return layer === 'age' || layer === 'aes-256-gcm';
}

function layerOf(head: Buffer, key: string, decrypted: boolean): EncryptionType | CompressionType | undefined {
  const known = byMagic(layers, head)?.is;
  if (known) return decrypted && isEncryption(known) ? undefined : known;
  return !formatByMagic(head) && /\.br(\.|$)/.test(key) ? 'brotli' : undefined;
}

function byMagic<Known extends { readonly magic: Buffer }>(all: readonly Known[], head: Buffer): Known | undefined {
  return all.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
}

type Format = Pick<ContentDescription, 'sourceType' | 'format'>;

function formatByMagic(head: Buffer): Format | undefined {
  const [, bundled] = bundleStart.exec(head.toString('latin1')) ?? [];
  if (bundled !== undefined) return { sourceType: bundled, format: bundleFormat.name };
  const known = byMagic(formats, head);
  return known && { sourceType: known.sourceType, format: known.format };
}

/** Where only one kind of source has such files. */
function formatByName(key: string, sources: readonly SourceType[]): Format {
  const extension = /\.[A-Za-z0-9]+$/.exec(key.replace(layerExtensions, ''))?.[0];
  const candidates = sources.flatMap((source) =>
    source
      .capabilities()
      .formats.filter((each) => each.extension === extension)
      .map((each) => ({ sourceType: source.type, format: each.name })),
  );
  return (candidates.length === 1 && candidates[0]) || {};
}

function discard(stream: Readable): void {
  // The rest is not wanted, and its complaint about that is no news.
  stream.on('error', () => {});
  stream.destroy();
}

/** The description that the operation works with: the sidecar's, else the file's own. */
export async function describeContent(
  backup: StoredBackup,
  decryptor: () => Promise<Decryptor>,
  sources: readonly SourceType[],
  signal: AbortSignal,
): Promise<ContentDescription> {
  if (!backup.object) {
    throw new DbBackupError('OBJECT_MISSING', `${backup.on.name}:${backup.key} is not there`, {
      hint: 'dbbackup list shows what there is; another destination may still hold this backup.',
    });
  }
  return describeFromSidecar(backup) ?? (await describeFromBytes(backup, decryptor, sources, signal));
}
