/** Reads a bundle from end to end and changes nothing: every member's parts, sum and end of dump, and `end.json`. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import type { ManifestMember, MemberSum } from '../../pipeline/bundle/manifest.ts';
import { BundleReader } from '../../pipeline/bundle/read-bundle.ts';
import type { SidecarMember } from '../../sidecar/sidecar.ts';
import type { DumpFormat, SourceType } from '../../source/source.ts';

/** Of the bundle's engine; undefined for one that this dbbackup does not know. */
export function memberFormat(
  type: SourceType | undefined,
  { kind, format }: Pick<ManifestMember, 'kind' | 'format'>,
): DumpFormat | undefined {
  const { formats = [], bundle } = type?.capabilities() ?? {};
  const known = kind === 'globals' ? [bundle?.globals] : formats;
  return known.find((each) => each?.name === format);
}

/** Opens it, and sees that it is the one that the sidecar describes. */
export async function openMembers(stream: Readable, recorded?: readonly SidecarMember[]): Promise<BundleReader> {
  const reader = await BundleReader.open(stream);
  const { members } = reader.manifest;
  if (recorded === undefined) return reader;
  const isSame = (one: ManifestMember, other: SidecarMember | undefined) =>
    one.folder === other?.folder && one.kind === other.kind && one.name === other.name && one.format === other.format;
  if (members.length === recorded.length && members.every((each, at) => isSame(each, recorded[at]))) return reader;
  stream.destroy();
  throw new DbBackupError('INTEGRITY', 'the sidecar describes another bundle than the one it stands beside', {
    hint: 'One of the two was damaged or exchanged. Choose another backup or another destination: dbbackup list.',
  });
}

/** `stream` errors where the bytes are not the recorded ones. Returns what was found. */
export async function checkBundle(
  stream: Readable,
  type: SourceType | undefined,
  recorded: readonly SidecarMember[] | undefined,
  signal: AbortSignal,
): Promise<readonly MemberSum[]> {
  const reader = await openMembers(stream, recorded);
  for await (const member of reader.members(recorded)) {
    const format = memberFormat(type, member);
    if (type && format) await pipeline(member.stream, type.endOfDumpCheck(format), drain, { signal });
    else await pipeline(member.stream, drain, { signal });
  }
  return reader.sums;
}

export async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
