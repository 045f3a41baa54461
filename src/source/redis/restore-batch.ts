import { Crc64 } from './crc64.ts';
import type { RdbEntry } from './rdb-walker.ts';

/** Written at once. */
const fullBytes = 64 * 1024;
/** A batch that is not yet full, and a piece of a value. */
const capacityBytes = 3 * fullBytes;
/** Behind what a payload covers: the RDB version and a checksum. */
const footerBytes = 2 + 8;
/** The words around a key and a value, with all numbers. */
const framing = 160;

const opening = '*5\r\n$7\r\nRESTORE\r\n$';
const absolute = '\r\n$6\r\nABSTTL\r\n';

/**
 * RESTORE after RESTORE, written straight into one piece of memory: there are millions of keys, and whatever is made for
 * each of them has to be cleared away again.
 */
export class RestoreBatch {
  readonly #version: () => number;
  #bytes = Buffer.allocUnsafe(capacityBytes);
  #length = 0;
  #crc = new Crc64();
  /** All that is in it goes there. */
  database = 0;

  /** `version`: of the RDB file, as it is when a value ends. */
  constructor(version: () => number) {
    this.#version = version;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get isFull(): boolean {
    return this.#length >= fullBytes;
  }

  /** Begins a command, up to the type, which is the first byte of the value as DUMP has it. */
  begin({ key, type, expiresAt = 0n, valueStart, valueEnd }: RdbEntry): void {
    this.#reserve(framing + key.length);
    const time = `${expiresAt}`;
    this.#write(`${opening}${key.length}\r\n`);
    this.#length += key.copy(this.#bytes, this.#length);
    this.#write(`\r\n$${time.length}\r\n${time}\r\n$${1 + valueEnd - valueStart + footerBytes}\r\n`);
    this.#bytes[this.#length] = type;
    this.#crc = new Crc64().update(this.#bytes, this.#length, this.#length + 1);
    this.#length += 1;
  }

  /** All of the value, or its next piece: `bytes` from `start` up to `end`. */
  add(bytes: Buffer, start = 0, end = bytes.length): void {
    this.#reserve(end - start);
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#crc.update(bytes, start, end);
    this.#length += end - start;
  }

  /** Ends the command. */
  end(): void {
    this.#reserve(framing);
    this.#bytes.writeUInt16LE(this.#version(), this.#length);
    this.#crc.update(this.#bytes, this.#length, this.#length + 2).writeTo(this.#bytes, this.#length + 2);
    this.#length += footerBytes;
    this.#write(absolute);
  }

  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
    this.#length = 0;
    return bytes;
  }

  #write(text: string): void {
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * needed);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
