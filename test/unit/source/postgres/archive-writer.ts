/** An archive as pg_backup_archiver.c writes it, in any version that is read. */
export class ArchiveWriter {
  readonly #parts: Buffer[] = [];
  readonly #minor: number;

  constructor(minor: number, compressed = false) {
    this.#minor = minor;
    this.#parts.push(Buffer.from('PGDMP'), Buffer.from([1, minor, 0, 4, 8, 1]));
    if (minor >= 15) this.#parts.push(Buffer.from([compressed ? 1 : 0]));
    else this.int(compressed ? 6 : 0);
    for (let field = 0; field < 7; field++) this.int(field);
    for (const text of ['shop', '15.18', '15.18']) this.text(text);
  }

  int(value: number): this {
    const bytes = Buffer.alloc(5);
    bytes[0] = value < 0 ? 1 : 0;
    bytes.writeUInt32LE(Math.abs(value), 1);
    this.#parts.push(bytes);
    return this;
  }

  text(value: string | undefined): this {
    if (value === undefined) return this.int(-1);
    this.int(Buffer.byteLength(value)).#parts.push(Buffer.from(value));
    return this;
  }

  entry(id: number, kind: string, tag: string, hasData: boolean, copy = ''): this {
    this.int(id).int(hasData ? 1 : 0);
    for (const text of ['1259', '16384', tag, kind]) this.text(text);
    this.int(3).text('definition').text('').text(copy).text('public').text('');
    if (this.#minor >= 14) this.text('heap');
    if (this.#minor >= 16) this.int(114);
    this.text('owner').text('false').text('7').text(undefined);
    this.#parts.push(Buffer.alloc(9, 1));
    return this;
  }

  block(type: number, id: number): this {
    this.#parts.push(Buffer.from([type]));
    return this.int(id);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export const copy = 'COPY public.t (a) FROM stdin;\n';

export function wholeArchive(minor: number): Buffer {
  const writer = new ArchiveWriter(minor).int(4);
  writer.entry(1, 'TABLE', 't', false).entry(2, 'TABLE DATA', 't', true, copy);
  writer.entry(3, 'BLOBS', 'BLOBS', true).entry(4, 'TABLE DATA', 'inserted', true);
  // One piece for each row up to 18, several rows in a piece from 19 on.
  writer.block(1, 2).text('one\n').text('two\nthree\n').text('\\.\n\n\n').int(0);
  writer.block(3, 3).int(16_400).text('\n\nlarge').int(0).int(16_401).int(0).int(0);
  writer.block(1, 4).text('INSERT INTO public.inserted VALUES (1);\n').int(0);
  return writer.bytes();
}
