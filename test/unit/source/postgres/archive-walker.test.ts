import { describe, expect, test } from 'vitest';
import { ArchiveWalker } from '../../../../src/source/postgres/archive-walker.ts';
import { ArchiveWriter, copy, wholeArchive } from './archive-writer.ts';

function walk(archive: Buffer, size = archive.length): ArchiveWalker {
  const walker = new ArchiveWalker();
  for (let at = 0; at < archive.length; at += size) walker.push(archive.subarray(at, at + size));
  return walker;
}

describe.each([12, 13, 14, 15, 16])('an archive of version 1.%i', (minor) => {
  const archive = wholeArchive(minor);

  test.each([1, 2, 7, 1000])('is whole, and its rows are counted, in pieces of %i bytes', (size) => {
    const walker = walk(archive, size);
    walker.finish();
    expect(walker.tables()).toEqual({ 'public.t': 3, 'public.inserted': null });
  });

  test.each([1, 7, 1000])('is told where its blocks begin, in pieces of %i bytes', (size) => {
    const found = walk(archive, size).pointers();
    const begin = found.map(({ at, bytes }) => {
      expect(archive.subarray(at, at + bytes.length)).toEqual(Buffer.alloc(9, 1));
      expect(bytes[0]).toBe(2);
      const block = Number(bytes.readBigUInt64LE(1));
      return [archive[block], archive.readUInt32LE(block + 2)];
    });
    expect(begin).toEqual([
      [1, 2],
      [3, 3],
      [1, 4],
    ]);
  });

  test('is incomplete wherever it is cut', () => {
    for (let length = 1; length < archive.length; length++) {
      const walker = walk(archive.subarray(0, length));
      expect(() => walker.finish(), `cut at ${length}`).toThrow(expect.objectContaining({ code: 'DUMP_INCOMPLETE' }));
    }
  });

  test('may not go on after its end', () => {
    expect(() => walk(Buffer.concat([archive, Buffer.from([0])]))).toThrow(/bytes after its end/);
    const walker = walk(archive);
    expect(() => walker.push(Buffer.from([0]))).toThrow(/bytes after its end/);
  });
});

test('a schema alone has no blocks', () => {
  const walker = walk(new ArchiveWriter(14).int(1).entry(1, 'TABLE', 't', false).bytes());
  walker.finish();
  expect(walker.tables()).toEqual({});
});

test('rows that pg_dump compressed are not counted', () => {
  const writer = new ArchiveWriter(16, true).int(1).entry(2, 'TABLE DATA', 't', true, copy);
  const walker = walk(writer.block(1, 2).text('x\n\n\n\n\n\n').int(0).bytes());
  walker.finish();
  expect(walker.tables()).toEqual({ 'public.t': null });
});

test('nothing at all is an empty dump', () => {
  expect(() => new ArchiveWalker().finish()).toThrow(expect.objectContaining({ code: 'DUMP_EMPTY' }));
});

test.each([
  ['another file', Buffer.from('SQLite format 3\0 and so on')],
  ['a newer version', Buffer.concat([Buffer.from('PGDMP'), Buffer.from([1, 17, 0, 4, 8, 1])])],
  ['the tar format', Buffer.concat([Buffer.from('PGDMP'), Buffer.from([1, 14, 0, 4, 8, 3])])],
  ['data of an unknown entry', new ArchiveWriter(14).int(1).entry(2, 'TABLE DATA', 't', true).block(1, 9).bytes()],
  ['a block of unknown type', new ArchiveWriter(14).int(1).entry(2, 'TABLE DATA', 't', true).block(7, 2).bytes()],
  [
    'the same data twice',
    new ArchiveWriter(14).int(2).entry(2, 'TABLE DATA', 't', true).entry(2, 'TABLE DATA', 't', true).bytes(),
  ],
])('refuses %s', (_what, bytes) => {
  expect(() => walk(bytes)).toThrow(expect.objectContaining({ code: 'DUMP_INCOMPLETE' }));
});
