import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { codecs } from '../../src/pipeline/compression/all.ts';
import type { Codec } from '../../src/pipeline/compression/compression.ts';
import { enforce } from '../../src/pipeline/enforce.ts';
import { meter } from '../../src/pipeline/meter.ts';
import { readThrough, runPipeline, type Sink } from '../../src/pipeline/run.ts';
import { collect, neverAborted, readingSink, sourceOf, stageOf, zeros } from '../unit/pipeline/streams.ts';

const mebi = 1024 * 1024;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-pipeline-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('F10 the compressor dies', () => {
  test('its whole group is gone, the run rejects, and no sink sees an end', async () => {
    const pids = join(folder, 'pids');
    // Passes some bytes on, starts a helper of its own, and is then killed.
    const script = `#!/bin/sh\nsleep 1000 &\necho $! $$ > '${pids}'\nhead -c 100000\nkill -9 $$\n`;
    await writeFile(join(folder, 'lbzip2'), script, { mode: 0o700 });
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    const source = zeros(4e9);
    const compress = stageOf('compress', await codecs.bzip2.compress(9, neverAborted));
    const sinks = [readingSink('a'), readingSink('b')];
    const stages = [meter('meter:raw'), compress, meter('meter:stored')];
    await expect(runPipeline({ source, stages, sinks, signal: neverAborted })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringMatching(/^compress failed: lbzip2 was killed by SIGKILL/),
    });
    expect(sinks.map((sink) => sink.seen)).toEqual([['error'], ['error']]);
    expect(source.closed).toBe(true);
    const started = (await readFile(pids, 'utf8')).trim().split(' ');
    expect(started).toHaveLength(2);
    for (const pid of started) await vi.waitUntil(() => isGone(pid));
  });

  test('TOOL_MISSING names the package when there is neither lbzip2 nor bzip2', async () => {
    vi.stubEnv('PATH', folder);
    await expect(codecs.bzip2.compress(9, neverAborted)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      hint: expect.stringContaining('apt-get install lbzip2'),
    });
  });
});

/** Gone, or dead and only waiting for an init that reaps. */
function isGone(pid: string): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim();
  return state === '' || state.startsWith('Z');
}

describe('F13 a slow destination', () => {
  test('holds the source and the quick destination back', async () => {
    let made = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const source = new Readable({
      read() {
        made += chunk.length;
        this.push(made > 32 * mebi ? null : chunk);
      },
    });
    let taken = 0;
    let lead = 0;
    const slow: Sink<number> = {
      name: 'slow',
      async consume(stream) {
        for await (const piece of stream) {
          for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
          taken += piece.length;
          lead = Math.max(lead, made - taken);
        }
        return taken;
      },
    };
    let quickTaken = 0;
    let quickLead = 0;
    const quick: Sink<number> = {
      name: 'quick',
      async consume(stream) {
        for await (const piece of stream) {
          quickTaken += piece.length;
          quickLead = Math.max(quickLead, quickTaken - taken);
        }
        return quickTaken;
      },
    };
    const stages = [meter('meter:raw'), stageOf('compress', await codecs.none.compress(0, neverAborted))];
    const outcomes = await runPipeline({ source, stages, sinks: [slow, quick], signal: neverAborted });
    expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual([32 * mebi, 32 * mebi]);
    expect(lead).toBeLessThan(3 * mebi);
    expect(quickLead).toBeLessThan(mebi);
  });

  test.each(Object.values(codecs))('$type takes no more than a few MiB ahead of a reader that waits', async (codec) => {
    let made = 0;
    const source = new Readable({
      read() {
        made += 64 * 1024;
        // Random, so that it cannot be made small; it ends, so that a broken stage fails the test and not the machine.
        this.push(made > 96 * mebi ? null : crypto.getRandomValues(Buffer.alloc(64 * 1024)));
      },
    });
    const stages = [stageOf('compress', await codec.compress(codec.levels.min, neverAborted))];
    const output = readThrough({ source, stages, signal: neverAborted });
    await settled(() => made);
    expect(made).toBeLessThan(48 * mebi);
    output.destroy();
    if (!source.closed) await new Promise((resolve) => source.once('close', resolve));
  });
});

/** Waits until `value` has stood still for 200 ms. */
async function settled(value: () => number): Promise<void> {
  for (let before = -1; before !== value(); ) {
    before = value();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('F37 a decompression bomb', () => {
  const recorded = 1000;

  test.each([
    codecs.gzip,
    codecs.brotli,
    codecs.zstd,
    codecs.bzip2,
  ])('$type stops at the recorded size', async (codec) => {
    const bomb = await makeBomb(codec);
    expect(bomb.length).toBeLessThan(10 * mebi);
    const decompressor = await codec.decompress(neverAborted);
    let decompressed = 0;
    const count = meter('count', {
      onBytes(total) {
        decompressed = total;
      },
    });
    const stages = [
      stageOf('decompress', decompressor),
      count,
      enforce({ what: 'the decompressed dump', bytes: recorded }),
    ];
    const before = process.memoryUsage().rss;
    const output = readThrough({ source: sourceOf(bomb), stages, signal: neverAborted });
    await expect(collect(output)).rejects.toMatchObject({ code: 'INTEGRITY' });
    expect(decompressed).toBeLessThan(4 * mebi);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * mebi);
  });

  test('a reader that waits holds back a bomb in a single chunk', async () => {
    const bomb = await makeBomb(codecs.zstd);
    const decompressor = await codecs.zstd.decompress(neverAborted);
    decompressor.end(bomb);
    await new Promise((resolve) => decompressor.once('readable', resolve));
    await settled(() => decompressor.readableLength);
    expect(decompressor.readableLength).toBeLessThan(mebi);
    decompressor.destroy();
  });

  /** 1000 MiB of zeros: made once, or 8 MiB of them 125 times over where files can be joined. */
  async function makeBomb(codec: Codec): Promise<Buffer> {
    const times = codec.type === 'brotli' ? 1 : 125;
    const stages = [stageOf('compress', await codec.compress(codec.levels.default, neverAborted))];
    const source = zeros((1000 / times) * mebi, mebi);
    const part = await collect(readThrough({ source, stages, signal: neverAborted }));
    return Buffer.concat(Array(times).fill(part));
  }
});
