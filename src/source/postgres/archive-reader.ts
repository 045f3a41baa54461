import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { RestoreInput } from '../source.ts';

/** `PGDMP`, then the two numbers of its version. */
const headBytes = 7;
const minorAt = 6;
/** Archive 1.15 came with 16, 1.16 with 17; all clients that are used here read older ones. */
const readers: Readonly<Record<number, number>> = { 15: 16, 16: 17 };

/**
 * The lowest major whose pg_restore reads this archive; undefined: all do, or it is none, which is told where it is
 * read. Of a stream nothing is taken away.
 */
export async function oldestReader(input: RestoreInput): Promise<number | undefined> {
  const head = input.kind === 'file' ? await headOf(input.path) : await peek(input.stream, headBytes);
  return readers[head[minorAt] ?? 0];
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Throws what the stream fails with. Shorter than `bytes` where the stream is. */
async function peek(stream: Readable, bytes: number): Promise<Buffer> {
  const over = finished(stream, { writable: false });
  // Whoever reads on hears of a later failure.
  over.catch(() => {});
  for (;;) {
    const head: Buffer | null = stream.read(bytes);
    if (head !== null) {
      stream.unshift(head);
      return head;
    }
    if (stream.readableEnded) return Buffer.alloc(0);
    await Promise.race([once(stream, 'readable'), over]);
  }
}
