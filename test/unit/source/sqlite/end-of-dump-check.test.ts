import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { parseHeader } from '../../../../src/source/sqlite/database-header.ts';
import { endOfDumpCheck } from '../../../../src/source/sqlite/end-of-dump-check.ts';
import { binaryFormat, sqlFormat } from '../../../../src/source/sqlite/format.ts';
import { Database } from '../../../../src/sqlite-library.ts';

/** The bytes of a real database. */
function databaseBytes(pageSize: number): Buffer {
  const database = new Database(':memory:');
  database.exec(`PRAGMA page_size = ${pageSize}; CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(200000))`);
  const bytes = database.serialize();
  database.close();
  return bytes;
}

async function check(format: typeof sqlFormat, ...chunks: readonly Buffer[]): Promise<void> {
  await pipeline(Readable.from(chunks), endOfDumpCheck(format), async (stream) => {
    for await (const _chunk of stream);
  });
}

describe('of a database file', () => {
  it.each([512, 4096, 65_536])('counts pages of %i bytes', async (pageSize) => {
    const bytes = databaseBytes(pageSize);
    expect(parseHeader(bytes)).toMatchObject({ pageSize, pageCount: bytes.length / pageSize });
    await check(binaryFormat, bytes);
    await check(binaryFormat, bytes.subarray(0, 7), bytes.subarray(7, 60), bytes.subarray(60));
    const incomplete = { code: 'DUMP_INCOMPLETE' };
    await expect(check(binaryFormat, bytes.subarray(0, -pageSize))).rejects.toMatchObject(incomplete);
    await expect(check(binaryFormat, bytes, bytes.subarray(0, pageSize))).rejects.toMatchObject(incomplete);
  });

  it('accepts whole pages where an old SQLite has left the count behind', async () => {
    const bytes = databaseBytes(4096);
    bytes.writeUInt32BE(1, 28);
    bytes.writeUInt32BE(bytes.readUInt32BE(24) + 1, 92);
    expect(parseHeader(bytes)?.pageCount).toBeUndefined();
    await check(binaryFormat, bytes);
    await expect(check(binaryFormat, bytes.subarray(0, -1))).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
  });

  it('refuses impossible page sizes and other files', () => {
    const bytes = databaseBytes(4096);
    for (const pageSize of [0, 2, 256, 1000, 4095]) {
      const broken = Buffer.from(bytes);
      broken.writeUInt16BE(pageSize, 16);
      expect(parseHeader(broken)).toBeUndefined();
    }
    expect(parseHeader(Buffer.from('SQLite format 3\0'))).toBeUndefined();
    expect(parseHeader(Buffer.alloc(4096))).toBeUndefined();
  });
});

describe('of SQL', () => {
  const whole = Buffer.from('BEGIN TRANSACTION;\nCREATE TABLE t(x);\nCOMMIT;\n');

  it('finds the trailer across chunks', async () => {
    await check(sqlFormat, whole);
    await check(sqlFormat, ...[...whole].map((byte) => Buffer.from([byte])));
  });

  it.each([
    'COMMIT;',
    "INSERT INTO t VALUES('COMMIT;\n",
    'xCOMMIT;\n',
    'COMMIT;\n\n',
    'COMMIT;\nCREATE',
  ])('does not take %j for it', async (end) => {
    const dump = Buffer.concat([Buffer.from('BEGIN;\n'), Buffer.from(end)]);
    await expect(check(sqlFormat, dump)).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
  });
});
