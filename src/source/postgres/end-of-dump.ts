import { Transform } from 'node:stream';
import { attempt } from '../attempt.ts';
import type { DumpFormat } from '../source.ts';
import { ArchiveWalker } from './archive-walker.ts';
import { clusterTrailer, ScriptScanner } from './script-scanner.ts';

type Tables = Readonly<Record<string, number | null>>;

interface DumpReader {
  push(chunk: Buffer): void;
  finish(): void;
  tables(): Tables;
}

/** A pass-through that errors unless a whole dump has passed. */
export class EndOfDumpCheck extends Transform {
  readonly #reader: DumpReader;

  constructor(format: DumpFormat) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
    this.#reader = readerOf(format);
  }

  /** Rows by table, once the stream has ended. */
  tables(): Tables {
    return this.#reader.tables();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    attempt(done, () => {
      this.#reader.push(chunk);
      this.push(chunk);
    });
  }

  override _flush(done: (error?: Error | null) => void): void {
    attempt(done, () => this.#reader.finish());
  }
}

function readerOf({ name }: DumpFormat): DumpReader {
  if (name === 'custom') return new ArchiveWalker();
  return new ScriptScanner({}, name === 'globals' ? clusterTrailer : undefined);
}
