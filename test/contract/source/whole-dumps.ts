import { readFile } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { DumpFormat } from '../../../src/source/source.ts';
import type { Bench, SourceSuite } from '../describe-source.ts';
import { dumpToFile, openSource, restoreFile, restoreOptions } from './dump-and-restore.ts';
import { withContext } from './test-context.ts';

/** What a whole dump is: everything, counted, recognised at its end, and restorable. */
export function testWholeDumps(
  { type, secret, unknownTarget = false, unknownEnd }: SourceSuite,
  format: DumpFormat,
  bench: Bench,
): void {
  it('gives back everything that was in the database', async () => {
    await withContext(async (context) => {
      const [from, to] = [await bench().makeDatabase(), await bench().makeDatabase()];
      const rows = await from.fill();
      const before = await from.fingerprint();
      const dump = await dumpToFile(openSource(type, from), format, context);

      expect(dump.contents.map((database) => database.tables)).toEqual([rows]);
      if (dump.totalBytes !== undefined) expect((await readFile(dump.path)).length).toBe(dump.totalBytes);
      if (secret !== undefined) expect(JSON.stringify(dump.contents)).not.toContain(secret);

      const target = openSource(type, to);
      expect((await target.examineTarget(restoreOptions(format, false), context)).hasData).toBe(unknownTarget);
      const outcome = await restoreFile(target, format, dump.path, context, unknownTarget);
      expect(outcome.label).not.toBe('');
      expect(await to.fingerprint()).toEqual(before);
      expect(await from.fingerprint()).toEqual(before);
    });
  });

  describe('the end-of-dump check', () => {
    it('passes a whole dump on, byte for byte', async () => {
      await withContext(async (context) => {
        const database = await bench().makeDatabase();
        await database.fill();
        const { path } = await dumpToFile(openSource(type, database), format, context);
        const content = await readFile(path);
        for (const size of [1009, content.length]) {
          expect((await checked(content, size)).equals(content)).toBe(true);
        }
      });
    });

    it.skipIf(unknownEnd)('refuses a dump that was cut anywhere', async () => {
      await withContext(async (context) => {
        const database = await bench().makeDatabase();
        await database.fill();
        const { path } = await dumpToFile(openSource(type, database), format, context);
        const content = await readFile(path);
        for (const length of cuts(content.length)) {
          await expect(checked(content.subarray(0, length)), `${length} of ${content.length}`).rejects.toMatchObject({
            code: 'DUMP_INCOMPLETE',
          });
        }
      });
    });

    it('F05 refuses an empty dump', async () => {
      await expect(checked(Buffer.alloc(0))).rejects.toMatchObject({ code: 'DUMP_EMPTY' });
    });
  });

  async function checked(content: Buffer, chunkSize = 65_536): Promise<Buffer> {
    const passed: Buffer[] = [];
    await pipeline(Readable.from(slices(content, chunkSize)), type.endOfDumpCheck(format), collect(passed));
    return Buffer.concat(passed);
  }
}

function* slices(content: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

function collect(into: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      into.push(chunk);
      done();
    },
  });
}

/** Near both ends every byte, in between a sample. */
function cuts(length: number): readonly number[] {
  const near = [1, 2, 16, 99, 100, 512, 4096];
  const sampled = Array.from({ length: 24 }, (_, index) => Math.floor((length * (index + 1)) / 25));
  return [...near, ...near.map((distance) => length - distance), ...sampled].filter((cut) => cut > 0 && cut < length);
}
