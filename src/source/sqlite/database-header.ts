/** The first 100 bytes of a SQLite database (sqlite.org/fileformat2.html, 1.3). */

export const headerBytes = 100;
const magic = Buffer.from('SQLite format 3\0');

export interface DatabaseHeader {
  /** Bytes. */
  readonly pageSize: number;
  /** Undefined where an old SQLite has written last and left the field behind (1.3.8). */
  readonly pageCount: number | undefined;
  readonly journalMode: 'wal' | 'rollback';
}

/** Undefined for anything that is not a SQLite database (an encrypted one looks like noise). */
export function parseHeader(bytes: Buffer): DatabaseHeader | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const rawPageSize = bytes.readUInt16BE(16);
  // 65536 does not fit into two bytes and is written as 1.
  const pageSize = rawPageSize === 1 ? 65_536 : rawPageSize;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  const pageCount = bytes.readUInt32BE(28);
  const countIsValid = pageCount > 0 && bytes.readUInt32BE(24) === bytes.readUInt32BE(92);
  return {
    pageSize,
    pageCount: countIsValid ? pageCount : undefined,
    journalMode: bytes[18] === 2 ? 'wal' : 'rollback',
  };
}
