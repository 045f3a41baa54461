import { createHash } from 'node:crypto';
import { type Duplex, Readable, Transform } from 'node:stream';
import type { Sink } from '../../../src/pipeline/run.ts';
import type { Stage } from '../../../src/pipeline/stage.ts';

/** A source of these chunks, one per turn of the event loop. */
export function sourceOf(...chunks: Uint8Array[]): Readable {
  return Readable.from(chunks, { objectMode: false });
}

export function stageOf(name: string, stream: Duplex): Stage {
  return { name, stream, result: () => undefined };
}

/** Passes chunks on until `after` of them have passed, then fails. */
export function failingStage(name: string, after: number, error: Error): Stage {
  let passed = 0;
  const stream = new Transform({
    transform(chunk, _encoding, done) {
      passed += 1;
      if (passed > after) done(error);
      else done(null, chunk);
    },
  });
  return stageOf(name, stream);
}

/** Everything a stream gives until its clean end; rejects with its error. */
export async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Its value is the sha256 of what it got. */
export interface Witness extends Sink<string> {
  /** What its stream did, as an upload library would see it. */
  readonly seen: string[];
}

/** Reads what it is given, and notes whether its stream ended or errored. */
export function readingSink(name: string): Witness {
  const seen: string[] = [];
  return {
    name,
    seen,
    async consume(stream) {
      stream.once('end', () => seen.push('end'));
      stream.once('error', () => seen.push('error'));
      return sha256(await collect(stream));
    },
  };
}

/** `bytes` zeros in chunks, made as they are asked for. */
export function zeros(bytes: number, chunkBytes = 64 * 1024): Readable {
  let left = bytes;
  const chunk = Buffer.alloc(chunkBytes);
  return new Readable({
    read() {
      const size = Math.min(left, chunkBytes);
      left -= size;
      this.push(size === 0 ? null : chunk.subarray(0, size));
    },
  });
}

/** Dump-like text of exactly `bytes` bytes, the same for the same seed. */
export function dumpText(bytes: number, seed = 1): Buffer {
  const lines: string[] = [];
  let size = 0;
  for (let row = 0; size < bytes; row += 1) {
    const digest = createHash('sha256').update(`${seed}:${row}`).digest('hex');
    const line = `${row}\t${digest.slice(0, 9)}\tname of customer ${digest.slice(9, 12)}\t2026-11-20 03:00:00\t\\N\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export const neverAborted = new AbortController().signal;
