/**
 * How lengths and strings stand in an RDB file, whatever they belong to. Strings are passed over without being kept; only
 * names are read, within a limit.
 * Source: src/rdb.c of Redis (rdbLoadLenByRef, rdbGenericLoadStringObject).
 */
import { PullParser, type Step } from '../pull-parser.ts';
import { damaged } from './damaged.ts';
import { decompressLzf } from './lzf.ts';

export abstract class RdbEncoding extends PullParser {
  /** Set by `#length`: the number, or for a special encoding its kind. */
  #isEncoded = false;

  /** For messages: in the middle of what the bytes so far end. */
  abstract get place(): string;

  protected *lengths(count: number): Step {
    for (let left = count; left > 0; left -= 1) yield* this.plainLength();
  }

  protected *plainLength(): Step<number> {
    const length = yield* this.#length();
    if (this.#isEncoded) throw damaged(`holds something else than a length in ${this.place}`);
    return length;
  }

  *#length(): Step<number> {
    const first = yield* this.byte();
    this.#isEncoded = first >= 0xc0;
    if (first < 0x40 || this.#isEncoded) return first & 0x3f;
    if (first < 0x80) return ((first & 0x3f) << 8) | (yield* this.byte());
    if (first === 0x80) return (yield* this.take(4)).readUInt32BE();
    if (first !== 0x81) throw damaged(`holds a length that cannot be read in ${this.place}`);
    // Ids and times fill all 64 bits; what is a length of something is never beyond 2^53.
    return Number((yield* this.take(8)).readBigUInt64BE());
  }

  /** Passes so many strings, and `extra` bytes behind each. */
  protected *strings(count: number, extra: number): Step {
    for (let left = count; left > 0; ) {
      left -= this.#stringsInChunk(left, extra);
      if (left === 0) return;
      yield* this.skip(yield* this.#stringBytes());
      yield* this.skip(extra);
      left -= 1;
    }
  }

  /** Bytes of the string whose length comes next. */
  *#stringBytes(): Step<number> {
    const length = yield* this.#length();
    if (!this.#isEncoded) return length;
    if (length < 3) return 1 << length;
    if (length > 3) throw damaged(`holds a string that cannot be read in ${this.place}`);
    const compressed = yield* this.plainLength();
    yield* this.plainLength();
    return compressed;
  }

  /** The same without a generator for each of millions: what lies whole in this chunk. Returns how many. */
  #stringsInChunk(count: number, extra: number): number {
    const { chunk } = this;
    const { length } = chunk;
    let position = this.position;
    let done = 0;
    for (; done < count && position + 2 < length; done += 1) {
      const first = chunk[position] as number;
      let next = position + 1;
      if (first < 0x40) next += first;
      else if (first < 0x80) next += 1 + (((first & 0x3f) << 8) | (chunk[next] as number));
      else if (first >= 0xc0 && first < 0xc3) next += 1 << (first & 3);
      else break;
      next += extra;
      if (next > length) break;
      position = next;
    }
    this.position = position;
    return done;
  }

  protected *text(limit: number): Step<Buffer> {
    const length = yield* this.#length();
    if (!this.#isEncoded) return yield* this.#bounded(length, limit);
    if (length === 0) return Buffer.from(`${(yield* this.take(1)).readInt8()}`);
    if (length === 1) return Buffer.from(`${(yield* this.take(2)).readInt16LE()}`);
    if (length === 2) return Buffer.from(`${(yield* this.take(4)).readInt32LE()}`);
    if (length > 3) throw damaged(`holds a string that cannot be read in ${this.place}`);
    const [compressed, size] = [yield* this.plainLength(), yield* this.plainLength()];
    const bytes = yield* this.#bounded(compressed, limit);
    try {
      if (size <= limit) return decompressLzf(bytes, size);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
    }
    throw damaged(`holds a name that cannot be decompressed in ${this.place}`);
  }

  *#bounded(bytes: number, limit: number): Step<Buffer> {
    if (bytes > limit) throw damaged(`holds a name of ${bytes} bytes in ${this.place}`);
    return yield* this.take(bytes);
  }
}
