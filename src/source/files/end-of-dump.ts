import { Transform } from 'node:stream';
import type { EntryType } from './tar-header.ts';
import { TarReader } from './tar-reader.ts';

/** A pass-through that reads the archive it passes on, and errors unless it was whole. Counts its entries. */
export class EndOfDumpCheck extends Transform {
  readonly #reader = new TarReader();
  readonly #counts: Record<EntryType, number> = { file: 0, folder: 0, symlink: 0, hardlink: 0, other: 0 };

  constructor() {
    super({ readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024 });
  }

  /** As in the sidecar; once the stream has ended. */
  counts(): Readonly<Record<string, number>> {
    const { file, folder, symlink, hardlink } = this.#counts;
    return { files: file, folders: folder, symlinks: symlink, hardlinks: hardlink };
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      for (const event of this.#reader.push(chunk)) if (event.kind === 'entry') this.#counts[event.entry.type] += 1;
    } catch (error) {
      done(error as Error);
      return;
    }
    this.push(chunk);
    done();
  }

  override _flush(done: (error?: Error | null) => void): void {
    try {
      this.#reader.finish();
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }
}
