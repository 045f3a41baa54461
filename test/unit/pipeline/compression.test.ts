import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkLevel, codecByExtension, codecs } from '../../../src/pipeline/compression/all.ts';
import type { Codec } from '../../../src/pipeline/compression/compression.ts';
import { enforce } from '../../../src/pipeline/enforce.ts';
import { readThrough } from '../../../src/pipeline/run.ts';
import { filter } from '../../../src/process/process.ts';
import { collect, dumpText, neverAborted, sha256, sourceOf, stageOf } from './streams.ts';

const all = Object.values(codecs);
const compressing = all.filter((codec) => codec.type !== 'none');
const programs = all.filter((codec) => codec.type !== 'bzip2' && codec.type !== 'none');
const rounds = Number(process.env['DBBACKUP_TEST_ROUNDS'] ?? 15);

async function compress(codec: Codec, data: Uint8Array, level = codec.levels.default): Promise<Buffer> {
  const source = Readable.from(data.length === 0 ? [] : [data], { objectMode: false });
  return through(source, await codec.compress(level, neverAborted));
}

async function decompress(codec: Codec, ...stored: Uint8Array[]): Promise<Buffer> {
  return through(sourceOf(...stored), await codec.decompress(neverAborted));
}

function through(source: Readable, stream: Awaited<ReturnType<Codec['compress']>>): Promise<Buffer> {
  return collect(readThrough({ source, stages: [stageOf('codec', stream)], signal: neverAborted }));
}

/** The error code with which a stored file is refused when its raw size and hash are enforced; `accepted` if not. */
async function verdict(codec: Codec, stored: Uint8Array, raw: Buffer): Promise<string> {
  const stages = [
    stageOf('decompress', await codec.decompress(neverAborted)),
    enforce({ what: 'the dump', bytes: raw.length, sha256: sha256(raw) }),
  ];
  const output = readThrough({ source: sourceOf(stored), stages, signal: neverAborted });
  return collect(output).then(
    () => 'accepted',
    (error) => error.code,
  );
}

const mebi = 1024 * 1024;
const sizes = [0, 1, 65535, 65536, 65537, mebi - 1, mebi, mebi + 1, 4 * mebi + 5];

describe.each(all)('$type', (codec) => {
  test('F14 is byte-identical at 0, 1, chunk ± 1 and block ± 1', async () => {
    for (const size of sizes) {
      const raw = dumpText(size);
      const back = await decompress(codec, await compress(codec, raw));
      expect(sha256(back), `${size} bytes`).toBe(sha256(raw));
    }
  });

  test('any bytes in any pieces, both ways', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 });
    const back = async (chunks: Uint8Array[], cut: number) => {
      const source = Readable.from(chunks, { objectMode: false });
      const stored = await through(source, await codec.compress(codec.levels.default, neverAborted));
      const at = cut % (stored.length + 1);
      expect(await decompress(codec, stored.subarray(0, at), stored.subarray(at))).toEqual(Buffer.concat(chunks));
    };
    await fc.assert(fc.asyncProperty(pieces, fc.nat(), back), { numRuns: rounds });
  });

  test('its extension leads back to it', () => {
    expect(codecByExtension(codec.extension)).toBe(codec);
  });

  test('accepts exactly its levels, and the lowest and the highest work', async () => {
    const { min, max, default: usual } = codec.levels;
    expect([min, usual, max].map((level) => checkLevel(codec.type, level))).toEqual([undefined, undefined, undefined]);
    expect([min - 1, max + 1, 1.5].filter((level) => checkLevel(codec.type, level) === undefined)).toEqual([]);
    const raw = dumpText(200_000);
    for (const level of [min, max]) {
      expect(sha256(await decompress(codec, await compress(codec, raw, level)))).toBe(sha256(raw));
    }
  });
});

describe.each(compressing)('damaged $type', (codec) => {
  const raw = dumpText(200_000);

  test('is refused wherever it is cut', async () => {
    const stored = await compress(codec, raw);
    const cuts = [0, 1, 2, 3, 4, 9, 10, 11, stored.length >> 1, stored.length - 12, stored.length - 9];
    for (const cut of [...cuts, stored.length - 8, stored.length - 4, stored.length - 1]) {
      await expect(decompress(codec, stored.subarray(0, cut)), `cut at ${cut}`).rejects.toMatchObject({
        code: 'INTEGRITY',
      });
    }
  });

  test('is refused with anything after its end, in the same chunk or the next', async () => {
    const stored = await compress(codec, raw);
    const appendages = [
      Buffer.alloc(1),
      Buffer.alloc(600),
      Buffer.from('garbage, and more garbage'),
      Buffer.from('\n'),
    ];
    for (const more of appendages) {
      const refusal = { code: 'INTEGRITY' };
      await expect(decompress(codec, Buffer.concat([stored, more])), `+${more.length}`).rejects.toMatchObject(refusal);
      await expect(decompress(codec, stored, more), `+${more.length} apart`).rejects.toMatchObject(refusal);
    }
  });

  test('never passes for the recorded dump with one byte changed', async () => {
    const stored = await compress(codec, raw.subarray(0, 20_000));
    const everywhere = fc.record({ at: fc.nat(stored.length - 1), mask: fc.integer({ min: 1, max: 255 }) });
    const refused = async ({ at, mask }: { at: number; mask: number }) => {
      const damaged = Buffer.from(stored);
      damaged.writeUInt8(damaged.readUInt8(at) ^ mask, at);
      const answer = await verdict(codec, damaged, raw.subarray(0, 20_000));
      // A change that leaves the dump as it was (an operating system field in gzip's header) does no harm.
      if (answer !== 'INTEGRITY')
        expect(sha256(await decompress(codec, damaged))).toBe(sha256(raw.subarray(0, 20_000)));
    };
    const examples = [0, 1, 2, 3, 4, 5, 8, 9, 10, stored.length - 1, stored.length - 5].map((at) => [{ at, mask: 1 }]);
    const parameters = { numRuns: rounds + examples.length, examples: examples as [{ at: number; mask: number }][] };
    await fc.assert(fc.asyncProperty(everywhere, refused), parameters);
  });
});

describe('other programs', () => {
  const raw = dumpText(2 * mebi + 77);
  const run = (command: string, args: string[], input: Buffer) => through(sourceOf(input), filter({ command, args }));

  test.each(programs)('the standard program reads our $type, and we read its own', async (codec) => {
    const [program = '', ...args] = codec.recovery.command.split(' ');
    expect(sha256(await run(program, args, await compress(codec, raw)))).toBe(sha256(raw));
    expect(sha256(await decompress(codec, await run(program, ['-4', '-c'], raw)))).toBe(sha256(raw));
    expect(await run(program, args, await compress(codec, Buffer.alloc(0)))).toHaveLength(0);
  });

  test.each(['lbzip2', 'bzip2'])('%s reads our bzip2, and we read its own', async (program) => {
    expect(sha256(await run(program, ['-dc'], await compress(codecs.bzip2, raw)))).toBe(sha256(raw));
    expect(sha256(await decompress(codecs.bzip2, await run(program, ['-c'], raw)))).toBe(sha256(raw));
  });

  test('gzip -t and pigz accept our many members, and we read pigz', async () => {
    const stored = await compress(codecs.gzip, raw);
    expect(await run('gzip', ['-t'], stored)).toHaveLength(0);
    expect(sha256(await run('pigz', ['-dc'], stored))).toBe(sha256(raw));
    expect(sha256(await decompress(codecs.gzip, await run('pigz', ['-c'], raw)))).toBe(sha256(raw));
  });

  test.each([codecs.gzip, codecs.zstd, codecs.bzip2])('$type files one after the other are one file', async (codec) => {
    const half = await compress(codec, raw.subarray(0, mebi));
    const rest = await compress(codec, raw.subarray(mebi));
    expect(sha256(await decompress(codec, Buffer.concat([half, rest])))).toBe(sha256(raw));
    expect(sha256(await decompress(codec, half, rest))).toBe(sha256(raw));
  });

  test('our zstd makes dumps no larger than the zstd program does at the same level', async () => {
    const lines = Array.from({ length: 60_000 }, (_, row) => {
      const code = (text: unknown) => createHash('md5').update(String(text)).digest('hex');
      const note = `order ${row} shipped to ${code(row % 5000)} by carrier ${row % 17} after ${row % 90} days`;
      return `${row}\t2020-01-0${(row % 9) + 1}\t${(row * 7919) % 100003}\t${note}; ${code(row)} ${code(row % 1000)}\n`;
    });
    const dump = Buffer.from(lines.join(''));
    for (const level of [1, 3, 4]) {
      const theirs = execFileSync('zstd', [`-${level}`, '-c'], { input: dump, maxBuffer: dump.length });
      const ours = await compress(codecs.zstd, dump, level);
      expect(ours.length, `level ${level}`).toBeLessThan(theirs.length * 1.03);
    }
  });

  test('our zstd carries a content checksum', async () => {
    // Frame header descriptor, bit 2 (RFC 8878, 3.1.1.1.1).
    expect((await compress(codecs.zstd, raw)).readUInt8(4) & 4).toBe(4);
  });
});
