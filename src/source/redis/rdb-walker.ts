/**
 * Walks an RDB file as its bytes pass: header, every key with its value, the end mark, the checksum's eight bytes.
 * Guarantees: `parsed` only when the end mark and what follows it have come; keys are counted on the way; memory stays
 * flat, whatever a value holds. Knows RDB 1 to 13 (Redis to 8.x) and Valkey's 80. What it meets and does not know
 * (`unknown`) ends the walk and not the reading: then the checksum is all there is.
 * Source: src/rdb.c and src/rdb.h of Redis and Valkey.
 */
import { DbBackupError } from '../../errors.ts';
import { PullParser, type Step } from '../pull-parser.ts';
import { decompressLzf } from './lzf.ts';
import { hasTimedFields, type Item, opcode, type Shape, shapeOf } from './rdb-type.ts';

/** A key that has passed; positions are of the file. */
export interface RdbEntry {
  readonly database: number;
  readonly key: Buffer;
  /** The byte that says how the value is written. */
  readonly type: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: bigint | undefined;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** From one position of the file up to another. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** Longer names of keys and fields of the header are damage: Redis' own limit for a string, and far beyond what it writes. */
const keyLimit = 512 * 1024 * 1024;
const fieldLimit = 1024 * 1024;
const millisecondsInSecond = 1000n;

export class RdbWalker extends PullParser {
  readonly #onEntry: ((entry: RdbEntry) => void) | undefined;
  readonly #keys = new Map<number, number>();
  readonly #auxiliary = new Map<string, string>();
  #version = 0;
  #isValkey = false;
  readonly #libraries: Part[] = [];
  #expiring = 0;
  #hasModuleData = false;
  #unknown: string | undefined;
  #bodyEnd: number | undefined;
  #checksum: Buffer | undefined;
  #place = 'its header';
  /** Set by `#length`: the number, or for a special encoding its kind. */
  #isEncoded = false;

  /** Is told of every key; without it their names are not even looked at. */
  constructor(onEntry?: (entry: RdbEntry) => void) {
    super();
    this.#onEntry = onEntry;
  }

  get version(): number {
    return this.#version;
  }

  /** `used-mem`, `redis-ver` … as the server wrote them. */
  get auxiliary(): ReadonlyMap<string, string> {
    return this.#auxiliary;
  }

  /** Keys by number of database, in the order of the file. */
  get keys(): ReadonlyMap<number, number> {
    return this.#keys;
  }

  /** Of functions, one string each, as they stand in the file. */
  get libraries(): readonly Part[] {
    return this.#libraries;
  }

  /** Keys that may be gone at any time: they, or all that is in them, have a time to live. */
  get expiring(): number {
    return this.#expiring;
  }

  /** Data of modules that belongs to no key. */
  get hasModuleData(): boolean {
    return this.#hasModuleData;
  }

  /** What ended the walk: `a value of type 99`. */
  get unknown(): string | undefined {
    return this.#unknown;
  }

  /** Behind the end mark: where the checksum begins, and what it covers ends. */
  get bodyEnd(): number | undefined {
    return this.#bodyEnd;
  }

  /** Undefined before the end, and where the version has none. */
  get checksum(): Buffer | undefined {
    return this.#checksum;
  }

  /** For messages: in the middle of what the bytes so far end. */
  get place(): string {
    return this.#place;
  }

  get offset(): number {
    return this.bytes - this.chunk.length + this.position;
  }

  protected override *parse(): Step {
    yield* this.#header();
    let database = 0;
    let expiresAt: bigint | undefined;
    for (;;) {
      const code = this.position < this.chunk.length ? (this.chunk[this.position++] as number) : yield* this.byte();
      if (code === opcode.end) break;
      if (code === opcode.database) {
        database = yield* this.#plainLength();
        this.#place = `database ${database}`;
      } else if (code === opcode.expiresMs) {
        expiresAt = (yield* this.take(8)).readBigInt64LE();
      } else if (code === opcode.expires) {
        expiresAt = BigInt((yield* this.take(4)).readInt32LE()) * millisecondsInSecond;
      } else if (code >= opcode.lowest) {
        yield* this.#other(code);
      } else {
        yield* this.#entry(database, code, expiresAt);
        expiresAt = undefined;
      }
    }
    this.#bodyEnd = this.offset;
    this.#place = 'its checksum';
    if (this.#version >= 5) this.#checksum = yield* this.take(8);
  }

  *#header(): Step {
    const magic = (yield* this.take(9)).toString('latin1');
    const [matched, maker, version] = /^(REDIS|VALKEY)(\d+)$/.exec(magic) ?? [];
    if (matched === undefined) throw damaged('does not start as an RDB file does (REDIS…)');
    this.#isValkey = maker === 'VALKEY';
    this.#version = Number(version);
  }

  *#entry(database: number, type: number, expiresAt: bigint | undefined): Step {
    const shape = shapeOf(type, this.#isValkey);
    if (shape === undefined) yield* this.#giveUp(`a value of type ${type}`);
    if (this.#onEntry === undefined) yield* this.#strings(1, 0);
    const key = this.#onEntry === undefined ? undefined : yield* this.#text(keyLimit);
    const valueStart = this.offset;
    if (shape === 'string') yield* this.#strings(1, 0);
    else if (shape !== undefined) yield* this.#shape(shape);
    this.#keys.set(database, (this.#keys.get(database) ?? 0) + 1);
    if (expiresAt !== undefined || hasTimedFields(type, this.#isValkey)) this.#expiring += 1;
    if (key === undefined) return;
    this.#onEntry?.({ database, key, type, expiresAt, valueStart, valueEnd: this.offset });
  }

  *#shape(shape: Shape): Step {
    if (shape === 'string') yield* this.#strings(1, 0);
    else if (shape === 'module') yield* this.#moduleValue();
    else if (shape === 'timed string') {
      yield* this.skip(8);
      yield* this.#strings(1, 0);
    } else if ('stream' in shape) yield* this.#stream(shape.stream);
    else {
      yield* this.skip(shape.before ?? 0);
      yield* this.#items(shape.items, yield* this.#plainLength());
    }
  }

  *#items(item: Item, count: number): Step {
    if (item === 'strings') yield* this.#strings(count, 0);
    else if (item === 'pairs') yield* this.#strings(2 * count, 0);
    else if (item === 'scored') yield* this.#strings(count, 8);
    else for (let left = count; left > 0; left -= 1) yield* this.#item(item);
  }

  *#item(item: Exclude<Item, 'strings' | 'pairs' | 'scored'>): Step {
    if (item === 'tagged') {
      yield* this.#plainLength();
      yield* this.#strings(1, 0);
    } else if (item === 'timed pairs') {
      yield* this.#plainLength();
      yield* this.#strings(2, 0);
    } else if (item === 'pairs and times') {
      yield* this.#strings(2, 0);
      yield* this.skip(8);
    } else {
      yield* this.#strings(1, 0);
      // 253 to 255 stand for not a number and the two infinities.
      const digits = yield* this.byte();
      if (digits < 253) yield* this.skip(digits);
    }
  }

  *#stream(generation: number): Step {
    yield* this.#strings(2 * (yield* this.#plainLength()), 0);
    // Its length and last id; from the second generation on first id, highest deleted id and the entries ever added.
    yield* this.#lengths(generation >= 2 ? 8 : 3);
    for (let groups = yield* this.#plainLength(); groups > 0; groups -= 1) {
      yield* this.#strings(1, 0);
      yield* this.#lengths(generation >= 2 ? 3 : 2);
      for (let pending = yield* this.#plainLength(); pending > 0; pending -= 1) {
        yield* this.skip(16 + 8);
        yield* this.#plainLength();
      }
      for (let consumers = yield* this.#plainLength(); consumers > 0; consumers -= 1) {
        yield* this.#strings(1, 0);
        yield* this.skip(generation >= 3 ? 16 : 8);
        yield* this.skip(16 * (yield* this.#plainLength()));
      }
    }
  }

  *#moduleValue(): Step {
    yield* this.#plainLength();
    yield* this.#moduleParts();
  }

  /** What a module writes says of itself what it is. */
  *#moduleParts(): Step {
    for (;;) {
      const kind = yield* this.#plainLength();
      if (kind === 0) return;
      if (kind === 1 || kind === 2) yield* this.#plainLength();
      else if (kind === 3) yield* this.skip(4);
      else if (kind === 4) yield* this.skip(8);
      else if (kind === 5) yield* this.#strings(1, 0);
      else throw damaged(`holds data of a module that cannot be read (${kind})`);
    }
  }

  *#other(code: number): Step {
    if (code === opcode.auxiliary) {
      const [name, value] = [yield* this.#text(fieldLimit), yield* this.#text(fieldLimit)];
      if (this.#auxiliary.size < 100) this.#auxiliary.set(`${name}`, `${value}`);
    } else if (code === opcode.resize) yield* this.#lengths(2);
    else if (code === opcode.slot) yield* this.#lengths(3);
    else if (code === opcode.frequency) yield* this.skip(1);
    else if (code === opcode.idle) yield* this.#plainLength();
    else if (code === opcode.library) {
      const start = this.offset;
      yield* this.#strings(1, 0);
      this.#libraries.push({ start, end: this.offset });
    } else if (code === opcode.moduleData) {
      this.#hasModuleData = true;
      yield* this.#lengths(3);
      yield* this.#moduleParts();
    } else yield* this.#giveUp(`an entry of kind ${code}`);
  }

  /** Reads on without understanding; never returns. */
  *#giveUp(what: string): Step {
    this.#unknown = `${what} in RDB version ${this.#version}`;
    for (;;) {
      this.position = this.chunk.length;
      yield;
    }
  }

  *#lengths(count: number): Step {
    for (let left = count; left > 0; left -= 1) yield* this.#plainLength();
  }

  *#plainLength(): Step<number> {
    const length = yield* this.#length();
    if (this.#isEncoded) throw damaged(`holds something else than a length in ${this.#place}`);
    return length;
  }

  *#length(): Step<number> {
    const first = yield* this.byte();
    this.#isEncoded = first >= 0xc0;
    if (first < 0x40 || this.#isEncoded) return first & 0x3f;
    if (first < 0x80) return ((first & 0x3f) << 8) | (yield* this.byte());
    if (first === 0x80) return (yield* this.take(4)).readUInt32BE();
    if (first !== 0x81) throw damaged(`holds a length that cannot be read in ${this.#place}`);
    // Ids and times fill all 64 bits; what is a length of something is never beyond 2^53.
    return Number((yield* this.take(8)).readBigUInt64BE());
  }

  /** Passes so many strings, and `extra` bytes behind each. */
  *#strings(count: number, extra: number): Step {
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
    if (length > 3) throw damaged(`holds a string that cannot be read in ${this.#place}`);
    const compressed = yield* this.#plainLength();
    yield* this.#plainLength();
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

  *#text(limit: number): Step<Buffer> {
    const length = yield* this.#length();
    if (!this.#isEncoded) return yield* this.#bounded(length, limit);
    if (length === 0) return Buffer.from(`${(yield* this.take(1)).readInt8()}`);
    if (length === 1) return Buffer.from(`${(yield* this.take(2)).readInt16LE()}`);
    if (length === 2) return Buffer.from(`${(yield* this.take(4)).readInt32LE()}`);
    if (length > 3) throw damaged(`holds a string that cannot be read in ${this.#place}`);
    const [compressed, size] = [yield* this.#plainLength(), yield* this.#plainLength()];
    const bytes = yield* this.#bounded(compressed, limit);
    try {
      if (size <= limit) return decompressLzf(bytes, size);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
    }
    throw damaged(`holds a name that cannot be decompressed in ${this.#place}`);
  }

  *#bounded(bytes: number, limit: number): Step<Buffer> {
    if (bytes > limit) throw damaged(`holds a name of ${bytes} bytes in ${this.#place}`);
    return yield* this.take(bytes);
  }
}

export function damaged(how: string): DbBackupError {
  return new DbBackupError('DUMP_INCOMPLETE', `the RDB file ${how}`, {
    hint: 'It is incomplete or damaged: run the backup again, or take another one.',
  });
}
