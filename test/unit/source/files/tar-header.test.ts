import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHeader, endOfArchive, paddingOf, type TarEntry } from '../../../../src/source/files/tar-header.ts';
import { TarReader } from '../../../../src/source/files/tar-reader.ts';

type Entry = Parameters<typeof encodeHeader>[0];

const name = fc
  .uint8Array({ minLength: 1, maxLength: 400 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))));
const id = fc.oneof(fc.nat(70_000), fc.nat(4_294_967_295));

const entries = fc.record<Entry>({
  path: name,
  type: fc.constantFrom('file', 'folder', 'symlink', 'hardlink'),
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  size: fc.constant(0),
  mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 63n }),
  linkPath: name,
});

function read(bytes: Buffer, size: number): readonly TarEntry[] {
  const reader = new TarReader();
  const found: TarEntry[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const event of reader.push(bytes.subarray(at, at + size))) if (event.kind === 'entry') found.push(event.entry);
  }
  reader.finish();
  return found;
}

describe('a tar header', () => {
  it('comes back as it was, whatever the names, numbers and times', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 4 }), fc.integer({ min: 1, max: 2000 }), (list, piece) => {
        const bytes = Buffer.concat([...list.map(encodeHeader), endOfArchive]);
        expect(read(bytes, piece)).toEqual(list);
      }),
      { numRuns: 200 },
    );
  });

  it.each([0o77777777777, 0o77777777777 + 1, 5 * 2 ** 40])('takes a file of %d bytes', (size) => {
    const entry: Entry = {
      path: Buffer.from('huge'),
      type: 'file',
      mode: 0o600,
      uid: 0,
      gid: 0,
      size,
      mtimeNs: 0n,
      linkPath: Buffer.alloc(0),
    };
    const [event] = new TarReader().push(encodeHeader(entry));
    expect(event).toEqual({ kind: 'entry', entry });
  });
});

describe('the tar reader', () => {
  const file = { mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n, linkPath: Buffer.alloc(0), type: 'file' as const };
  const content = Buffer.alloc(700, 'x');
  const archive = Buffer.concat([
    encodeHeader({ ...file, path: Buffer.from('a'), size: 700 }),
    content,
    Buffer.alloc(paddingOf(700)),
    endOfArchive,
  ]);

  it('refuses every cut', () => {
    for (let length = 0; length < archive.length; length += 1) {
      expect(() => read(archive.subarray(0, length), 512)).toThrow(
        expect.objectContaining({ code: length === 0 ? 'DUMP_EMPTY' : 'DUMP_INCOMPLETE' }),
      );
    }
  });

  it('allows zeros behind the end, and nothing else', () => {
    expect(read(Buffer.concat([archive, Buffer.alloc(9216)]), 4096)).toHaveLength(1);
    expect(() => read(Buffer.concat([archive, Buffer.alloc(100)]), 4096)).toThrow('incomplete');
    expect(() => read(Buffer.concat([archive, archive]), 4096)).toThrow('end mark');
  });

  it('refuses a flipped bit in a header', () => {
    for (const at of [0, 100, 124, 148, 156, 500]) {
      const flipped = Buffer.from(archive);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(() => read(flipped, 4096)).toThrow(expect.objectContaining({ code: 'DUMP_INCOMPLETE' }));
    }
  });

  it('refuses an extended header of a gigabyte', () => {
    const bomb = encodeHeader({ ...file, path: Buffer.from('a'), size: 2 ** 30 });
    bomb.write('x', 156);
    bomb.write('        ', 148);
    bomb.write(
      `${bomb
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    expect(() => new TarReader().push(bomb)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
});
