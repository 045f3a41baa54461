/**
 * Header blocks of a POSIX tar: plain files, and a pax record where a path is longer than 100 bytes. Nothing else is
 * written, and nothing else is read.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 */
import { DbBackupError } from '../../errors.ts';

export const blockBytes = 512;
const longestName = 100;

export interface TarHeader {
  readonly path: string;
  /** Of the content that follows. */
  readonly size: number;
  readonly isPax: boolean;
}

/** The blocks that go before a file's content. `modifiedAt` in seconds since 1970. */
export function tarHeader(path: string, size: number, modifiedAt: number): Buffer {
  if (Buffer.byteLength(path) <= longestName) return block(path, size, modifiedAt, '0');
  const record = paxRecord('path', path);
  return Buffer.concat([
    block('pax', record.length, modifiedAt, 'x'),
    record,
    tarPadding(record.length),
    block(path.slice(0, longestName), size, modifiedAt, '0'),
  ]);
}

/** Zeros up to the end of the block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}

/** Two empty blocks end an archive. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

function block(path: string, size: number, modifiedAt: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(path, 0, longestName, 'latin1');
  header.write(octal(0o600, 8), 100, 'latin1');
  header.write(octal(0, 8), 108, 'latin1');
  header.write(octal(0, 8), 116, 'latin1');
  header.write(octal(size, 12), 124, 'latin1');
  header.write(octal(modifiedAt, 12), 136, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${octal(checksum(header), 7)} `, 148, 'latin1');
  return header;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (`${length}`.length + Buffer.byteLength(rest) !== length) length = `${length}`.length + Buffer.byteLength(rest);
  return Buffer.from(`${length}${rest}`);
}

/** Undefined for an empty block, which ends the archive. Throws INTEGRITY for anything that `tarHeader` does not write. */
export function readTarHeader(header: Buffer): TarHeader | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const sum = Number.parseInt(header.toString('latin1', 148, 154), 8);
  if (sum !== checksum(header)) throw damaged('a header is damaged');
  const type = header.toString('latin1', 156, 157);
  if (header.toString('latin1', 257, 265) !== 'ustar\u000000' || !['0', 'x'].includes(type)) {
    throw damaged('it holds an entry that is no plain file');
  }
  const size = header.toString('latin1', 124, 135);
  if (!/^[0-7]{11}$/.test(size)) throw damaged('an entry has no size');
  const path = header.toString('latin1', 0, longestName).replace(/\0.*$/s, '');
  return { path, size: Number.parseInt(size, 8), isPax: type === 'x' };
}

/** The path that a pax record gives to the next entry. */
export function readPaxPath(record: Buffer): string {
  const [, length, path = ''] = /^(\d+) path=([^\n]+)\n$/.exec(record.toString('utf8')) ?? [];
  if (Number(length) !== record.length) throw damaged('an extended header is damaged');
  return path;
}

export function damaged(what: string): DbBackupError {
  return new DbBackupError('INTEGRITY', `the bundle is not what dbbackup writes: ${what}`, {
    hint: 'This copy is damaged: restore from another destination or from another backup.',
  });
}
