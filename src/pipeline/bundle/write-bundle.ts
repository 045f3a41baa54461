/**
 * Several dumps as one tar, written while the size of none of them is known: a member comes in numbered parts, each
 * gathered in memory before its header is written.
 * Guarantees: the stream ends only after every member has ended well; the first that fails fails all. Memory: one part.
 */
import { createHash } from 'node:crypto';
import { addAbortSignal, type Readable } from 'node:stream';
import { DbBackupError, wrapError } from '../../errors.ts';
import { GeneratedStream } from '../generated-stream.ts';
import {
  type BundleEnd,
  type BundleManifest,
  endName,
  type ManifestMember,
  type MemberSum,
  manifestName,
  partPath,
} from './manifest.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts';

/** Bytes of a part; the header costs an eighth of a per mille. */
const partBytes = 4 * 1024 * 1024;

export interface MemberSource extends ManifestMember {
  /** Starts the dump when its turn has come; `signal` is aborted when the bundle is given up. */
  open(signal: AbortSignal): Promise<OpenMember>;
}

export interface OpenMember {
  /** Its end is the proof of a complete dump. */
  readonly stream: Readable;
  /** Row counts for `end.json`; called after the end of the stream. */
  tables?(): Promise<Readonly<Record<string, number | null>> | undefined>;
}

export interface BundleStream {
  readonly stream: Readable;
  /** In the order of the members; call after the stream has ended. */
  sums(): readonly MemberSum[];
}

/** `now` in seconds since 1970: what tar shows as the date of every entry. */
export function writeBundle(
  sourceType: string,
  members: readonly MemberSource[],
  now = Math.floor(Date.now() / 1000),
): BundleStream {
  const done: BundleEnd['members'] = [];
  const stream = new GeneratedStream(async function* (signal) {
    yield* entry(manifestName, manifestOf(sourceType, members), now);
    for (const member of members) done.push(yield* memberBytes(member, now, signal));
    yield* entry(endName, { end: '1.0', members: done } satisfies BundleEnd, now);
    yield tarEnd;
  });
  return { stream, sums: () => done.map(({ tables: _, ...sum }) => sum) };
}

function manifestOf(sourceType: string, members: readonly MemberSource[]): BundleManifest {
  const plain = members.map(({ folder, kind, name, format, extension }) => ({ folder, kind, name, format, extension }));
  return { bundle: '1.0', sourceType, members: plain };
}

function* entry(path: string, value: unknown, now: number): Generator<Buffer, void> {
  const content = Buffer.from(JSON.stringify(value));
  yield tarHeader(path, content.length, now);
  yield content;
  yield tarPadding(content.length);
}

async function* memberBytes(
  member: MemberSource,
  now: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, BundleEnd['members'][number]> {
  const hash = createHash('sha256');
  let [bytes, parts] = [0, 0];
  try {
    signal.throwIfAborted();
    const { stream, tables } = await member.open(signal);
    addAbortSignal(signal, stream);
    for await (const part of partsOf(stream)) {
      const size = part.reduce((sum, piece) => sum + piece.length, 0);
      yield tarHeader(partPath(member, ++parts), size, now);
      for (const piece of part) {
        hash.update(piece);
        yield piece;
      }
      yield tarPadding(size);
      bytes += size;
    }
    if (bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'empty dump: not one byte came');
    return { folder: member.folder, parts, bytes, sha256: hash.digest('hex'), tables: await tables?.() };
  } catch (cause) {
    const what = member.kind === 'database' ? `the database ${member.name}` : member.name;
    throw wrapError(cause, 'SOURCE_FAILED', `dump of ${what} failed`);
  }
}

/** Pieces of the stream, gathered to parts; nothing is copied. */
async function* partsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[], void> {
  let part: Buffer[] = [];
  let room = partBytes;
  for await (const chunk of stream) {
    for (let rest = chunk; rest.length > 0; ) {
      const piece = rest.subarray(0, room);
      part.push(piece);
      rest = rest.subarray(piece.length);
      room -= piece.length;
      if (room > 0) continue;
      yield part;
      [part, room] = [[], partBytes];
    }
  }
  if (part.length > 0) yield part;
}
