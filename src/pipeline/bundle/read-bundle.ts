/**
 * A bundle on the way back, member by member.
 * Guarantees: a member's stream ends only after its parts have come in order and, where a sum is expected of it, length
 * and SHA-256 have matched; the last step is done only when `end.json` agrees with all that came and nothing follows.
 * Refuses: whatever `writeBundle` does not write; paths are compared, never used.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { GeneratedStream } from '../generated-stream.ts';
import { ByteReader } from './byte-reader.ts';
import {
  type BundleManifest,
  endName,
  listLimit,
  type ManifestMember,
  type MemberSum,
  manifestName,
  parseEnd,
  parseManifest,
  partPath,
} from './manifest.ts';
import { blockBytes, damaged, readPaxPath, readTarHeader, type TarHeader } from './tar-header.ts';

/** Bytes; twice what is written. */
const longestPart = 8 * 1024 * 1024;
const longestPax = 64 * 1024;

export interface BundleMember extends ManifestMember {
  /** To be read to its end before the next member is asked for. */
  readonly stream: Readable;
}

export class BundleReader {
  readonly manifest: BundleManifest;
  readonly #source: Readable;
  readonly #bytes: ByteReader;
  readonly #sums: MemberSum[] = [];
  /** The entry that comes next; undefined at the end of the archive. */
  #next: TarHeader | undefined;

  private constructor(source: Readable, bytes: ByteReader, manifest: BundleManifest) {
    this.#source = source;
    this.#bytes = bytes;
    this.manifest = manifest;
  }

  /** Reads up to the first member. Destroying `source` ends everything; its errors come out of whatever waits. */
  static async open(source: Readable): Promise<BundleReader> {
    const bytes = new ByteReader(source);
    const first = await nextHeader(bytes);
    if (first?.path !== manifestName) throw damaged(`it does not begin with ${manifestName}`);
    const reader = new BundleReader(source, bytes, parseManifest(await content(bytes, first)));
    reader.#next = await nextHeader(bytes);
    return reader;
  }

  /** Of the members that have been read to their end. */
  get sums(): readonly MemberSum[] {
    return this.#sums;
  }

  /** `expected`: what the sidecar, or an earlier reading, says of the members. Ends when the whole bundle has been read. */
  async *members(expected?: readonly MemberSum[]): AsyncGenerator<BundleMember, void> {
    for (const [index, member] of this.manifest.members.entries()) {
      const wanted = expected?.find((each) => each.folder === member.folder);
      if (expected && !wanted) throw damaged(`it holds ${member.folder}, of which the sidecar knows nothing`);
      yield { ...member, stream: new GeneratedStream((signal) => this.#read(member, wanted, signal)) };
      if (this.#sums.length !== index + 1) {
        throw new DbBackupError('UNEXPECTED', `${member.folder} was not read to its end`);
      }
    }
    await this.#finish();
  }

  async *#read(
    member: ManifestMember,
    wanted: MemberSum | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, void> {
    // What gives up a member gives up the reading.
    signal.addEventListener('abort', () => this.#source.destroy(signal.reason), { once: true });
    const hash = createHash('sha256');
    let [bytes, parts] = [0, 0];
    for (; this.#next?.path === partPath(member, parts + 1); this.#next = await nextHeader(this.#bytes)) {
      const { size } = this.#next;
      if (size > longestPart || (wanted && bytes + size > wanted.bytes)) {
        throw damaged(`${member.folder} is larger than it should be`);
      }
      for await (const piece of this.#bytes.pieces(size)) {
        hash.update(piece);
        yield piece;
      }
      await skipPadding(this.#bytes, size);
      bytes += size;
      parts += 1;
    }
    if (parts === 0) throw damaged(`${partPath(member, 1)} is missing`);
    const sum = { folder: member.folder, parts, bytes, sha256: hash.digest('hex') };
    if (wanted && !isSame(sum, wanted)) throw damaged(`${member.folder} is not what was recorded`);
    this.#sums.push(sum);
  }

  async #finish(): Promise<void> {
    if (this.#next?.path !== endName) throw damaged(`${this.#next?.path ?? 'its end'} stands where ${endName} should`);
    const { members } = parseEnd(await content(this.#bytes, this.#next));
    if (members.length !== this.#sums.length || !members.every((each, at) => isSame(each, this.#sums[at]))) {
      throw damaged(`${endName} does not agree with what it holds`);
    }
    if ((await nextHeader(this.#bytes)) !== undefined) throw damaged(`something follows ${endName}`);
    const last = await this.#bytes.take(blockBytes);
    if (last.some((byte) => byte !== 0) || !(await this.#bytes.isAtEnd())) throw damaged('something follows its end');
  }
}

function isSame(one: MemberSum, other: MemberSum | undefined): boolean {
  return (
    one.folder === other?.folder &&
    one.bytes === other.bytes &&
    one.sha256 === other.sha256 &&
    one.parts === other.parts
  );
}

async function nextHeader(bytes: ByteReader): Promise<TarHeader | undefined> {
  const header = readTarHeader(await bytes.take(blockBytes));
  if (!header?.isPax) return header;
  if (header.size > longestPax) throw damaged('an extended header is too long');
  const record = await bytes.take(header.size);
  await skipPadding(bytes, header.size);
  const real = readTarHeader(await bytes.take(blockBytes));
  if (real === undefined || real.isPax) throw damaged('nothing follows an extended header');
  return { ...real, path: readPaxPath(record) };
}

async function content(bytes: ByteReader, { path, size }: TarHeader): Promise<Buffer> {
  if (size > listLimit)
    throw new DbBackupError('LIMIT_EXCEEDED', `${path} of the bundle has more than ${listLimit} bytes`);
  const whole = await bytes.take(size);
  await skipPadding(bytes, size);
  return whole;
}

async function skipPadding(bytes: ByteReader, size: number): Promise<void> {
  const padding = await bytes.take((blockBytes - (size % blockBytes)) % blockBytes);
  if (padding.some((byte) => byte !== 0)) throw damaged('the padding of an entry is not empty');
}
