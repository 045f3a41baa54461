import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWriter } from '../../../src/destination/local/file-writer.ts';
import { sampleBytes, unevenChunks } from '../../contract/destination/sample.ts';

describe('FileWriter', () => {
  let folder = '';
  let handle: FileHandle;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-writer-'));
    handle = await open(join(folder, 'file'), 'wx');
  });
  afterEach(async () => {
    await handle.close();
    await rm(folder, { recursive: true });
  });

  it('goes on where a short write stopped', async () => {
    const bytes = sampleBytes(3_000_000);
    const short = Object.assign(Object.create(handle), {
      writev: (buffers: Buffer[]) => handle.writev([Buffer.concat(buffers).subarray(0, 70_001)]),
    });
    const writer = new FileWriter(short, 'writing');
    await pipeline(Readable.from(unevenChunks(bytes)), writer);
    expect(writer.bytesWritten).toBe(bytes.length);
    expect((await readFile(join(folder, 'file'))).equals(bytes)).toBe(true);
  });

  it('F13 gathers what piles up into one call, and stops reading while the disk is stalled', async () => {
    const calls: number[] = [];
    let release: () => void = () => undefined;
    const stalled = Object.assign(Object.create(handle), {
      async writev(buffers: Buffer[]) {
        calls.push(buffers.length);
        if (calls.length === 1) await new Promise<void>((resolve) => (release = resolve));
        return handle.writev(buffers);
      },
    });
    const chunk = Buffer.alloc(65_536);
    let taken = 0;
    function* source(): Generator<Buffer> {
      for (; taken < 200; taken++) yield chunk;
    }
    const writer = new FileWriter(stalled, 'writing');
    const piped = pipeline(Readable.from(source()), writer);
    await new Promise<void>((resolve) => {
      const look = () => (writer.writableNeedDrain ? setImmediate(resolve) : setImmediate(look));
      look();
    });
    expect(taken * chunk.length).toBeLessThan(8 * 1024 * 1024);
    release();
    await piped;
    expect(writer.bytesWritten).toBe(200 * chunk.length);
    expect(calls[0]).toBe(1);
    expect(calls[1]).toBeGreaterThan(10);
  });

  it('F26 sends what it wrote to the disk meanwhile, and a failure of that fails the whole', async () => {
    let syncs = 0;
    const failing = Object.assign(Object.create(handle), {
      writev: (buffers: Buffer[]) => handle.writev(buffers),
      async datasync() {
        syncs += 1;
        throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      },
    });
    const chunk = Buffer.alloc(1024 * 1024);
    const piped = pipeline(Readable.from(Array.from({ length: 33 }, () => chunk)), new FileWriter(failing, 'writing'));
    await expect(piped).rejects.toMatchObject({ code: 'DESTINATION_FAILED' });
    expect(syncs).toBe(1);
  });
});
