/** Runs bytes through a stream, and keeps what it released even when it failed. */
import { Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../../src/errors.ts';
import type { Stage } from '../../../src/pipeline/stage.ts';

export interface Outcome {
  readonly released: Buffer;
  /** Undefined when the stream ended well. */
  readonly error: DbBackupError | undefined;
}

/** An error that is not ours is a bug and is thrown. */
export async function drive(stream: NodeJS.ReadWriteStream, pieces: Iterable<Buffer>): Promise<Outcome> {
  const released: Buffer[] = [];
  const transform = stream as Transform;
  const push = transform.push.bind(transform);
  // What was pushed has left the reader, consumed or not.
  transform.push = (chunk: Buffer | null) => {
    if (chunk !== null) released.push(chunk);
    return push(chunk);
  };
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const source = Readable.from(pieces, { objectMode: false });
  const error = await pipeline(source, transform, sink).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof DbBackupError)) throw error;
  return { released: Buffer.concat(released), error };
}

/** Everything that a sealing stage gives, header included. */
export async function seal(stage: Stage, pieces: Iterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await pipeline(Readable.from(pieces, { objectMode: false }), stage.stream, sink);
  return Buffer.concat(chunks);
}

/** Cuts at sizes from 1 to `longest`, chosen by `random` (0 to 1). */
export function* randomPieces(bytes: Buffer, random: () => number, longest = 100): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random() * longest);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export function* singleBytes(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1) yield bytes.subarray(at, at + 1);
}

/** Mulberry32: small, seeded, good enough to choose places. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The frozen vectors' plaintext. */
export function plaintext(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 6) * 7 + 1) & 255));
}

export function ring(keys: {
  identities?: readonly string[];
  keys?: readonly Buffer[];
  passphrases?: readonly string[];
}) {
  return { identities: keys.identities ?? [], keys: keys.keys ?? [], passphrases: keys.passphrases ?? [] };
}
