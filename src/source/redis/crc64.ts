/**
 * CRC-64 as Redis computes it over RDB files and DUMP payloads: polynomial 0xad93d23594c935a9 ("Jones"), reflected, no
 * inversion. Two halves of 32 bits, eight bytes at a step: with BigInt it would be the slowest stage of a backup.
 * Source: src/crc64.c of Redis.
 */

/** The polynomial, reflected. */
const [polynomialHigh, polynomialLow] = [0x95ac9329, 0xac4bc9b5 | 0];
const slices = 8;

/** Eight tables of 256 entries: of a byte that `n` more bytes follow. */
const [lows, highs] = makeTables();

function makeTables(): readonly [Int32Array, Int32Array] {
  const [low, high] = [new Int32Array(slices * 256), new Int32Array(slices * 256)];
  for (let byte = 0; byte < 256; byte += 1) {
    let [l, h] = [byte, 0];
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = l & 1;
      l = (l >>> 1) | ((h & 1) << 31);
      h >>>= 1;
      if (carry === 1) {
        l ^= polynomialLow;
        h ^= polynomialHigh;
      }
    }
    low[byte] = l;
    high[byte] = h;
  }
  for (let at = 256; at < slices * 256; at += 1) {
    const [l = 0, h = 0] = [low[at - 256], high[at - 256]];
    const index = l & 0xff;
    low[at] = ((l >>> 8) | (h << 24)) ^ (low[index] ?? 0);
    high[at] = (h >>> 8) ^ (high[index] ?? 0);
  }
  return [low, high];
}

export class Crc64 {
  #low = 0;
  #high = 0;

  /** Adds the bytes from `start` up to `end`. */
  update(bytes: Uint8Array, start = 0, end = bytes.length): this {
    let l = this.#low;
    let h = this.#high;
    let at = start;
    for (const last = end - slices; at <= last; at += slices) {
      l ^= word(bytes, at);
      h ^= word(bytes, at + 4);
      const next = fold(lows, l, h);
      h = fold(highs, l, h);
      l = next;
    }
    for (; at < end; at += 1) {
      const index = (l ^ (bytes[at] as number)) & 0xff;
      l = ((l >>> 8) | (h << 24)) ^ (lows[index] as number);
      h = (h >>> 8) ^ (highs[index] as number);
    }
    this.#low = l;
    this.#high = h;
    return this;
  }

  /** Eight bytes, little endian, as it stands behind what it covers. Over those eight, too, it is zero. */
  digest(): Buffer {
    const bytes = Buffer.alloc(8);
    this.writeTo(bytes, 0);
    return bytes;
  }

  /** The same into eight bytes from `at` on. */
  writeTo(bytes: Buffer, at: number): void {
    bytes.writeInt32LE(this.#low, at);
    bytes.writeInt32LE(this.#high, at + 4);
  }

  get isZero(): boolean {
    return this.#low === 0 && this.#high === 0;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Eight bytes at once: each by the table of how many bytes follow it. */
function fold(table: Int32Array, l: number, h: number): number {
  return (
    (table[1792 + (l & 0xff)] as number) ^
    (table[1536 + ((l >>> 8) & 0xff)] as number) ^
    (table[1280 + ((l >>> 16) & 0xff)] as number) ^
    (table[1024 + (l >>> 24)] as number) ^
    (table[768 + (h & 0xff)] as number) ^
    (table[512 + ((h >>> 8) & 0xff)] as number) ^
    (table[256 + ((h >>> 16) & 0xff)] as number) ^
    (table[h >>> 24] as number)
  );
}
