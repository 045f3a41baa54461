import { describe, expect, test } from 'vitest';
import { ArchiveWalker } from '../../../../src/source/postgres/archive-walker.ts';
import { joinPieces } from '../../../../src/source/postgres/join-pieces.ts';
import { ArchiveWriter, copy, wholeArchive } from './archive-writer.ts';

/** As it comes to pg_restore when it was read in chunks of `size` bytes. */
function joined(archive: Buffer, size: number): { bytes: Buffer; walker: ArchiveWalker } {
  const walker = new ArchiveWalker({ joins: true });
  const chunks: Buffer[] = [];
  for (let at = 0; at < archive.length; at += size) {
    const chunk = archive.subarray(at, at + size);
    walker.push(chunk);
    chunks.push(joinPieces(chunk, walker.runs()));
  }
  walker.finish();
  return { bytes: Buffer.concat(chunks), walker };
}

function walked(archive: Buffer): ArchiveWalker {
  const walker = new ArchiveWalker();
  walker.push(archive);
  walker.finish();
  return walker;
}

/** Two tables of many rows, one empty row among them, and large objects between them. */
function archiveOf(rows: (writer: ArchiveWriter, texts: readonly string[]) => ArchiveWriter, compressed = false) {
  const writer = new ArchiveWriter(15, compressed).int(3).entry(2, 'TABLE DATA', 't', true, copy);
  writer.entry(3, 'BLOBS', 'BLOBS', true).entry(4, 'TABLE DATA', 'u', true, copy);
  const texts = Array.from({ length: 50 }, (_, row) => `${row}\t${'é'.repeat(row % 7)}\n`).concat('\n', '\\.\n\n\n');
  rows(writer.block(1, 2), texts).int(0);
  writer.block(3, 3).int(16_400).text('one').text('two').int(0).int(0);
  return rows(writer.block(1, 4), texts).int(0).bytes();
}

const separate = archiveOf((writer, texts) => texts.reduce((to, text) => to.text(text), writer));
const whole = archiveOf((writer, texts) => writer.text(texts.join('')));

test('the rows of a table become one piece, and large objects stay as they are', () => {
  expect(joined(separate, separate.length).bytes.equals(whole)).toBe(true);
});

describe.each([1, 2, 5, 7, 64, 200, 1000])('in chunks of %i bytes', (size) => {
  const { bytes, walker } = joined(separate, size);

  test('what lies across two chunks stays a piece, and nothing else is changed', () => {
    expect(joined(bytes, bytes.length).bytes.equals(whole)).toBe(true);
    expect(walker.tables()).toEqual({ 'public.t': 51, 'public.u': 51 });
  });

  test('the blocks are told to begin where they now do', () => {
    expect(walker.pointers()).toEqual(walked(bytes).pointers());
  });
});

test.each([64, 200])('chunks of %i bytes do hold something to join', (size) => {
  expect(joined(separate, size).bytes.length).toBeLessThan(separate.length);
});

test("the bytes that came are not touched: they may be somebody else's", () => {
  const before = Buffer.from(separate);
  joined(separate, separate.length);
  expect(separate.equals(before)).toBe(true);
});

test.each([12, 16])('INSERTs and large objects of an archive 1.%i stay in their pieces', (minor) => {
  const archive = wholeArchive(minor);
  const { bytes } = joined(archive, archive.length);
  expect(walked(bytes).tables()).toEqual({ 'public.t': 3, 'public.inserted': null });
  // Three pieces of t are one.
  expect(bytes.length).toBe(archive.length - 2 * 5);
});

test('what pg_dump has compressed stays as it is', () => {
  const archive = archiveOf((writer, texts) => texts.reduce((to, text) => to.text(text), writer), true);
  expect(joined(archive, archive.length).bytes.equals(archive)).toBe(true);
});
