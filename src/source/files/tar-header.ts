/**
 * Headers of a POSIX tar (pax interchange format), both ways. Names are bytes, as the file system has them: the libraries
 * that were looked at (tar-stream, tar, modern-tar) turn them into strings, and a name that is not UTF-8 is lost.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 */

export const blockBytes = 512;
/** What ends an archive. */
export const endOfArchive = Buffer.alloc(2 * blockBytes);

export type EntryType = 'file' | 'folder' | 'symlink' | 'hardlink' | 'other';

export interface TarEntry {
  /** Relative, without a trailing slash; `.` for the folder itself. As found: the reader's caller judges it. */
  readonly path: Buffer;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Target of a link, as it is written in it; empty for the rest. */
  readonly linkPath: Buffer;
}

const typeFlags = { file: '0', hardlink: '1', symlink: '2', folder: '5' } as const;
const nameBytes = 100;
/** Largest numbers that fit into octal fields of 8 and 12 characters. */
const largestId = 0o7777777;
const largestSize = 0o77777777777;
const nsPerSecond = 1_000_000_000n;

export function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

/** The block or blocks that stand before an entry's content. */
export function encodeHeader(entry: TarEntry & { readonly type: keyof typeof typeFlags }): Buffer {
  const name = entry.type === 'folder' ? Buffer.concat([entry.path, Buffer.from('/')]) : entry.path;
  const records = paxRecords(entry, name);
  const before = records.length === 0 ? 0 : blockBytes + records.length + paddingOf(records.length);
  // From the pool and in one piece: there are millions of them.
  const bytes = Buffer.allocUnsafe(before + blockBytes).fill(0);
  if (before > 0) {
    const own = { ...entry, mode: 0o644, uid: 0, gid: 0, size: records.length, linkPath: nothing };
    writeHeader(bytes.subarray(0, blockBytes), 'x', extendedName, own);
    records.copy(bytes, blockBytes);
  }
  writeHeader(bytes.subarray(before), typeFlags[entry.type], name, entry);
  return bytes;
}

const nothing = Buffer.alloc(0);
const extendedName = Buffer.from('PaxHeaders/entry');
const zeroBlock = Buffer.alloc(blockBytes);

/** The zeros behind content of `size` bytes. */
export function padding(size: number): Buffer {
  return zeroBlock.subarray(0, paddingOf(size));
}

/** What the fields of a plain header cannot hold. */
function paxRecords(entry: TarEntry, name: Buffer): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer | string) => records.push(paxRecord(key, Buffer.from(value)));
  const long = [name, entry.linkPath].filter((text) => text.length > nameBytes);
  if (long.some((text) => !isUtf8(text))) add('hdrcharset', 'BINARY');
  if (name.length > nameBytes) add('path', name);
  if (entry.linkPath.length > nameBytes) add('linkpath', entry.linkPath);
  if (entry.size > largestSize) add('size', String(entry.size));
  if (entry.uid > largestId) add('uid', String(entry.uid));
  if (entry.gid > largestId) add('gid', String(entry.gid));
  if (entry.mtimeNs % nsPerSecond !== 0n || !fits(entry.mtimeNs)) add('mtime', decimalSeconds(entry.mtimeNs));
  return Buffer.concat(records);
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8')).equals(bytes);
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function fits(mtimeNs: bigint): boolean {
  return mtimeNs >= 0n && mtimeNs / nsPerSecond <= BigInt(largestSize);
}

function decimalSeconds(ns: bigint): string {
  const seconds = ns < 0n ? -((-ns + nsPerSecond - 1n) / nsPerSecond) : ns / nsPerSecond;
  const fraction = ns - seconds * nsPerSecond;
  if (seconds >= 0n || fraction === 0n) return `${seconds}.${String(fraction).padStart(9, '0')}`;
  // -1.25 is two seconds back and 0.75 forward.
  const whole = seconds + 1n;
  return `${whole === 0n ? '-0' : whole}.${String(nsPerSecond - fraction).padStart(9, '0')}`;
}

/** `block`: 512 zeros. */
function writeHeader(block: Buffer, flag: string, name: Buffer, entry: TarEntry): void {
  const octal = (value: number, at: number, width: number) =>
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
  name.copy(block, 0, 0, nameBytes);
  octal(entry.mode, 100, 8);
  octal(entry.uid > largestId ? 0 : entry.uid, 108, 8);
  octal(entry.gid > largestId ? 0 : entry.gid, 116, 8);
  octal(entry.size > largestSize ? 0 : entry.size, 124, 12);
  octal(fits(entry.mtimeNs) ? Number(entry.mtimeNs / nsPerSecond) : 0, 136, 12);
  block.write(flag, 156, 'latin1');
  entry.linkPath.copy(block, 157, 0, nameBytes);
  block.write('ustar\x0000', 257, 'latin1');
  block.write('        ', 148, 'latin1');
  block.write(`${sumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function sumOf(block: Buffer): number {
  let sum = 0;
  for (const byte of block) sum += byte;
  return sum;
}

export interface RawHeader {
  readonly flag: string;
  readonly entry: TarEntry;
}

/** Undefined when the checksum does not match: then it is no header. Numbers that cannot be read are NaN. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  const stated = numberAt(block, 148, 8);
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  if (stated !== sum) return undefined;
  const flag = block.toString('latin1', 156, 157);
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? textAt(block, 345, 155) : Buffer.alloc(0);
  const name = textAt(block, 0, nameBytes);
  const entry: TarEntry = {
    path: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    type: typeOf(flag),
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: numberAt(block, 124, 12),
    mtimeNs: BigInt(numberAt(block, 136, 12) || 0) * nsPerSecond,
    linkPath: textAt(block, 157, nameBytes),
  };
  return { flag, entry };
}

function typeOf(flag: string): EntryType {
  if (flag === '0' || flag === '\0' || flag === '7') return 'file';
  if (flag === '5') return 'folder';
  if (flag === '2') return 'symlink';
  return flag === '1' ? 'hardlink' : 'other';
}

/** A field up to its first NUL. */
export function textAt(block: Buffer, at: number, width: number): Buffer {
  const field = block.subarray(at, at + width);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}

/** Octal, or GNU's base-256 for what does not fit. */
function numberAt(block: Buffer, at: number, width: number): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) {
    if (first !== 0x80) return Number.NaN;
    const value = block.subarray(at + 1, at + width).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }
  const text = textAt(block, at, width).toString('latin1').trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : Number.NaN;
}

/** Records of an extended header; undefined when it is malformed. */
export function decodePax(bytes: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, space));
    const equals = bytes.indexOf(0x3d, space);
    const end = at + length;
    const sound = space > at && Number.isInteger(length) && equals > space && equals < end && bytes[end - 1] === 0x0a;
    if (!sound) return undefined;
    records.set(bytes.toString('utf8', space + 1, equals), Buffer.from(bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

/** `entry` with what its extended header says. */
export function withPax(entry: TarEntry, records: ReadonlyMap<string, Buffer>): TarEntry {
  const number = (key: string, otherwise: number) => {
    const text = records.get(key)?.toString('latin1');
    if (text === undefined) return otherwise;
    return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  };
  const mtime = records.get('mtime')?.toString('latin1');
  return {
    ...entry,
    path: records.get('path') ?? entry.path,
    linkPath: records.get('linkpath') ?? entry.linkPath,
    size: number('size', entry.size),
    uid: number('uid', entry.uid),
    gid: number('gid', entry.gid),
    mtimeNs: mtime === undefined ? entry.mtimeNs : nanoseconds(mtime),
  };
}

function nanoseconds(decimal: string): bigint {
  const [, sign, whole = '0', fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(decimal) ?? [];
  const value = BigInt(whole) * nsPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -value : value;
}
