import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { filter } from '../../../src/process/process.ts';

function blocks(count: number): Readable {
  return Readable.from(Array.from({ length: count }, (_, i) => Buffer.alloc(100_000, i)));
}

function through(command: string, ...args: string[]) {
  const received: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      received.push(chunk);
      done();
    },
  });
  return { received, done: pipeline(blocks(50), filter({ command, args, idleTimeoutMs: 30_000 }), sink) };
}

describe('filter', () => {
  it('passes every byte through the program', async () => {
    const { received, done } = through('cat');
    await done;
    expect(Buffer.compare(Buffer.concat(received), Buffer.concat(await blocks(50).toArray()))).toBe(0);
  });

  it('errors when the program fails after its last byte', async () => {
    const { done } = through('sh', '-c', 'cat; echo "write error" >&2; exit 1');
    await expect(done).rejects.toMatchObject({ code: 'TOOL_FAILED', message: 'sh exited with code 1: write error' });
  });

  it('errors when the program ends cleanly before its input does', async () => {
    const { done } = through('head', '-c', '10');
    await expect(done).rejects.toMatchObject({ message: 'head exited before it had read all of its input' });
  });

  it('errors when the program is missing', async () => {
    await expect(through('surely-not-here').done).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });

  it('does not take a blocked reader for a stalled program', async () => {
    const stage = filter({ command: 'cat', args: [], idleTimeoutMs: 500 });
    const source = blocks(100).pipe(stage);
    const slow = new Promise((resolve) => setTimeout(resolve, 1500));
    await slow;
    expect(Buffer.concat(await source.toArray())).toHaveLength(100 * 100_000);
  });
});
