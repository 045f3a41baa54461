/**
 * Walks an RDB file as its bytes pass: header, every key with its value, the end mark, the checksum's eight bytes.
 * Guarantees: `parsed` only when the end mark and what follows it have come; keys are counted on the way; memory stays
 * flat, whatever a value holds. Knows RDB 1 to 13 (Redis to 8.x) and Valkey's 80. What it meets and does not know
 * (`unknown`) ends the walk and not the reading: then the checksum is all there is.
 * Source: src/rdb.c and src/rdb.h of Redis and Valkey.
 */
import type { Step } from '../pull-parser.ts';
import { damaged } from './damaged.ts';
import { hasTimedFields, opcode, shapeOf } from './rdb-type.ts';
import { RdbValue } from './rdb-value.ts';

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

export class RdbWalker extends RdbValue {
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

  override get place(): string {
    return this.#place;
  }

  protected override *parse(): Step {
    yield* this.#header();
    let database = 0;
    let expiresAt: bigint | undefined;
    for (;;) {
      const code = this.position < this.chunk.length ? (this.chunk[this.position++] as number) : yield* this.byte();
      if (code === opcode.end) break;
      if (code === opcode.database) {
        database = yield* this.plainLength();
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
    if (this.#onEntry === undefined) yield* this.strings(1, 0);
    const key = this.#onEntry === undefined ? undefined : yield* this.text(keyLimit);
    const valueStart = this.offset;
    if (shape === 'string') yield* this.strings(1, 0);
    else if (shape !== undefined) yield* this.shape(shape);
    this.#keys.set(database, (this.#keys.get(database) ?? 0) + 1);
    if (expiresAt !== undefined || hasTimedFields(type, this.#isValkey)) this.#expiring += 1;
    if (key === undefined) return;
    this.#onEntry?.({ database, key, type, expiresAt, valueStart, valueEnd: this.offset });
  }

  *#other(code: number): Step {
    if (code === opcode.auxiliary) {
      const [name, value] = [yield* this.text(fieldLimit), yield* this.text(fieldLimit)];
      if (this.#auxiliary.size < 100) this.#auxiliary.set(`${name}`, `${value}`);
    } else if (code === opcode.resize) yield* this.lengths(2);
    else if (code === opcode.slot) yield* this.lengths(3);
    else if (code === opcode.frequency) yield* this.skip(1);
    else if (code === opcode.idle) yield* this.plainLength();
    else if (code === opcode.library) {
      const start = this.offset;
      yield* this.strings(1, 0);
      this.#libraries.push({ start, end: this.offset });
    } else if (code === opcode.moduleData) {
      this.#hasModuleData = true;
      yield* this.lengths(3);
      yield* this.moduleParts();
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
}
