import { DbBackupError } from '../../errors.ts';
import { blockBytes, decodeHeader, decodePax, paddingOf, type TarEntry, withPax } from './tar-header.ts';

export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'entryEnd' };

/** Long names and extended headers; more is an attack. */
const metadataLimit = 1024 * 1024;
const zeroBlock = Buffer.alloc(blockBytes);

/**
 * Reads a tar as it comes, in pieces of any size. Throws DUMP_INCOMPLETE for what is no whole archive, LIMIT_EXCEEDED for
 * absurd metadata. Judges no paths.
 */
export class TarReader {
  #bytes = 0;
  #held = Buffer.alloc(0);
  #contentLeft = 0;
  #paddingLeft = 0;
  /** Content of an extended header or of GNU's long name; undefined while an entry's own content passes. */
  #metadata: { readonly flag: string; readonly pieces: Buffer[] } | undefined;
  #records = new Map<string, Buffer>();
  #zeroBlocks = 0;

  /** What these bytes complete. `data` shares their memory. */
  push(chunk: Buffer): TarEvent[] {
    const events: TarEvent[] = [];
    this.#bytes += chunk.length;
    for (let rest = chunk; rest.length > 0; ) rest = this.#step(rest, events);
    return events;
  }

  /** Throws unless the archive has come to its end. */
  finish(): void {
    if (this.#bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'empty dump: not one byte of a tar archive');
    if (this.#zeroBlocks < 2 || this.#held.length > 0) throw incomplete('its end mark is missing');
  }

  #step(chunk: Buffer, events: TarEvent[]): Buffer {
    if (this.#contentLeft > 0) return this.#content(chunk, events);
    if (this.#paddingLeft > 0) {
      const skipped = Math.min(this.#paddingLeft, chunk.length);
      this.#paddingLeft -= skipped;
      return chunk.subarray(skipped);
    }
    const missing = blockBytes - this.#held.length;
    this.#held = Buffer.concat([this.#held, chunk.subarray(0, missing)]);
    if (this.#held.length === blockBytes) {
      const block = this.#held;
      this.#held = Buffer.alloc(0);
      this.#header(block, events);
    }
    return chunk.subarray(missing);
  }

  #content(chunk: Buffer, events: TarEvent[]): Buffer {
    const data = chunk.subarray(0, this.#contentLeft);
    this.#contentLeft -= data.length;
    if (this.#metadata === undefined) events.push({ kind: 'data', data });
    else this.#metadata.pieces.push(Buffer.from(data));
    if (this.#contentLeft === 0) this.#contentEnded(events);
    return chunk.subarray(data.length);
  }

  #contentEnded(events: TarEvent[]): void {
    if (this.#metadata === undefined) {
      events.push({ kind: 'entryEnd' });
      return;
    }
    const { flag, pieces } = this.#metadata;
    this.#metadata = undefined;
    this.#remember(flag, Buffer.concat(pieces));
  }

  #remember(flag: string, content: Buffer): void {
    // A global header speaks of the whole archive; nothing in it is needed here.
    if (flag === 'g') return;
    if (flag === 'x') {
      const records = decodePax(content);
      if (records === undefined) throw incomplete('a malformed extended header');
      for (const [key, value] of records) this.#records.set(key, value);
      return;
    }
    const end = content.indexOf(0);
    this.#records.set(flag === 'L' ? 'path' : 'linkpath', end === -1 ? content : content.subarray(0, end));
  }

  #header(block: Buffer, events: TarEvent[]): void {
    if (block.equals(zeroBlock)) {
      this.#zeroBlocks += 1;
      return;
    }
    if (this.#zeroBlocks > 0) throw incomplete('something stands behind its end mark');
    const header = decodeHeader(block);
    if (header === undefined) throw incomplete('a header with a wrong checksum');
    if ('xgLK'.includes(header.flag)) this.#startMetadata(header.flag, header.entry.size);
    else this.#startEntry(header.entry, events);
  }

  #startMetadata(flag: string, size: number): void {
    if (!(size <= metadataLimit)) {
      throw new DbBackupError('LIMIT_EXCEEDED', `tar archive: an extended header of ${size} bytes`);
    }
    this.#metadata = { flag, pieces: [] };
    this.#contentLeft = size;
    this.#paddingLeft = paddingOf(size);
    if (size === 0) this.#contentEnded([]);
  }

  #startEntry(plain: TarEntry, events: TarEvent[]): void {
    const entry = withPax(plain, this.#records);
    const isSparse = [...this.#records.keys()].some((key) => key.startsWith('GNU.sparse.'));
    this.#records = new Map();
    if (![entry.size, entry.mode, entry.uid, entry.gid].every(Number.isSafeInteger)) {
      throw incomplete('a header with unreadable numbers');
    }
    const trimmed = { ...entry, path: withoutSlash(entry.path), type: isSparse ? ('other' as const) : entry.type };
    // A link may state the size of what it points at; nothing follows it.
    const size = entry.type === 'file' || entry.type === 'other' ? entry.size : 0;
    events.push({ kind: 'entry', entry: { ...trimmed, size } });
    this.#contentLeft = size;
    this.#paddingLeft = paddingOf(size);
    if (size === 0) events.push({ kind: 'entryEnd' });
  }
}

function withoutSlash(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end -= 1;
  return path.subarray(0, end);
}

function incomplete(problem: string): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', `incomplete tar archive: ${problem}`);
}
