import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { SqlHeaderReader } from '../../../../src/source/sqlite/sql-header-reader.ts';

const dump = [
  '-- dbbackup {"properties":{"page_size":4096,"encoding":"UTF-8"}}',
  '-- dbbackup {"table":"a\\n\\"слон","rows":12,"lost":0}',
  '-- dbbackup {"table":"__proto__","rows":1,"lost":0}',
  '-- dbbackup {"table":"search","rows":null}',
  '-- dbbackup {"table":"search_data","lost":0}',
  'PRAGMA page_size = 4096;',
  '-- dbbackup {"table":"in the data","rows":1}',
  'COMMIT;\n',
].join('\n');

async function read(chunks: readonly Buffer[]): Promise<{ passed: Buffer; reader: SqlHeaderReader }> {
  const reader = new SqlHeaderReader('shop.db');
  const passed: Buffer[] = [];
  await pipeline(Readable.from(chunks), reader, async (stream) => {
    for await (const chunk of stream) passed.push(chunk as Buffer);
  });
  return { passed: Buffer.concat(passed), reader };
}

it.each([1, 3, 64, 10_000])('reads the head in chunks of %i bytes and passes all on', async (size) => {
  const bytes = Buffer.from(dump);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  const { passed, reader } = await read(chunks);
  expect(passed.equals(bytes)).toBe(true);
  const { tables, properties } = reader.header();
  expect(Object.entries(tables)).toEqual([
    ['a\n"слон', 12],
    ['__proto__', 1],
    ['search', null],
  ]);
  expect(properties).toEqual({ page_size: 4096, encoding: 'UTF-8' });
});

it('refuses a dump that has lost something', async () => {
  const line = '-- dbbackup {"table":"notes","rows":12,"lost":3}\n';
  await expect(read([Buffer.from(line)])).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
    message: expect.stringMatching(/notes.*3 rows/),
  });
});
