import { Transform } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { attempt } from '../attempt.ts';
import { Crc64 } from './crc64.ts';
import { damaged } from './damaged.ts';
import { RdbWalker } from './rdb-walker.ts';

/**
 * A server that streams its RDB does not know its length, and sends 40 hex digits behind it; redis-cli cuts them off a
 * file, and cannot cut them off its standard output.
 */
const markBytes = 40;
const mark = /^[0-9a-f]{40}$/;
const checksumBytes = 8;
const endMark = 0xff;
const noChecksum = Buffer.alloc(checksumBytes);

/** A pass-through that errors unless a whole RDB file has passed. `fromClient`: redis-cli's mark may follow, and is left out. */
export class RdbCheck extends Transform {
  readonly walker = new RdbWalker();
  readonly #fromClient: boolean;
  readonly #crc = new Crc64();
  /** Where the walk was given up: the last bytes, of which nobody knows yet what they are. */
  #tail: Buffer | undefined;
  /** What came behind the end. */
  #rest = Buffer.alloc(0);

  constructor(fromClient = false) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
    this.#fromClient = fromClient;
  }

  /** True when the server writes no checksums (`rdbchecksum no`). Call after the end. */
  get isUnchecked(): boolean {
    const { checksum, unknown } = this.walker;
    return unknown === undefined && (checksum === undefined || checksum.equals(noChecksum));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    attempt(done, () => {
      const start = this.walker.bytes;
      if (!this.walker.parsed) this.walker.push(chunk);
      else this.#keepRest(chunk);
      if (this.walker.unknown !== undefined) this.#passLagging(chunk);
      else if (start === this.walker.bytes) return;
      else this.#pass(chunk, start);
    });
  }

  #pass(chunk: Buffer, start: number): void {
    const { parsed, bodyEnd = Number.POSITIVE_INFINITY, offset } = this.walker;
    this.#crc.update(chunk, 0, Math.max(0, Math.min(chunk.length, bodyEnd - start)));
    const end = parsed ? offset - start : chunk.length;
    this.push(chunk.subarray(0, end));
    if (end < chunk.length) this.#keepRest(chunk.subarray(end));
  }

  #keepRest(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (this.#rest.length > markBytes) throw damaged('holds bytes after its end');
  }

  #passLagging(chunk: Buffer): void {
    const held = Buffer.concat([this.#tail ?? Buffer.alloc(0), chunk]);
    const end = Math.max(0, held.length - markBytes - checksumBytes - 1);
    this.#crc.update(held, 0, end);
    this.push(held.subarray(0, end));
    // A copy, so that the large one can go.
    this.#tail = Buffer.from(held.subarray(end));
  }

  override _flush(done: (error?: Error | null) => void): void {
    attempt(done, () => {
      if (this.walker.bytes === 0) throw new DbBackupError('DUMP_EMPTY', 'the dump is empty: not one byte came');
      if (this.#tail !== undefined) this.push(this.#judgeTail(this.#tail));
      else this.#judgeEnd();
    });
  }

  #judgeEnd(): void {
    const { parsed, place, checksum } = this.walker;
    if (!parsed) throw damaged(`ends inside ${place}`);
    if (!this.isUnchecked && checksum !== undefined && !this.#crc.digest().equals(checksum)) {
      throw damaged('does not match its own checksum');
    }
    const isMark = this.#fromClient && mark.test(this.#rest.toString('latin1'));
    if (this.#rest.length > 0 && !isMark) throw damaged('holds bytes after its end');
  }

  /** Over all bytes with the checksum behind them a CRC is zero. */
  #judgeTail(tail: Buffer): Buffer {
    const unmarked = tail.length - markBytes;
    const lengths = [...(this.#fromClient && unmarked > checksumBytes ? [unmarked] : []), tail.length];
    let seen = 0;
    for (const length of lengths) {
      this.#crc.update(tail, seen, length);
      seen = length;
      const isEnd = tail[length - checksumBytes - 1] === endMark && this.#crc.isZero;
      if (isEnd && (length === tail.length || mark.test(tail.toString('latin1', length))))
        return tail.subarray(0, length);
    }
    throw new DbBackupError(
      'DUMP_INCOMPLETE',
      `the RDB file holds ${this.walker.unknown}, which this dbbackup does not know, and no checksum that matches`,
      {
        hint: 'It is incomplete or damaged, or the server writes no checksums: CONFIG SET rdbchecksum yes needs a restart.',
      },
    );
  }
}
