import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import type { DumpFormat, RestoreInput } from '../../../src/source/source.ts';
import type { Bench, SourceSuite, TestDatabase } from '../describe-source.ts';
import { children, newChildren } from './children.ts';
import { dumpToFile, openSource, restoreFile, restoreOptions } from './dump-and-restore.ts';
import { type TestContext, withContext } from './test-context.ts';

/** F40: what a restore may do to its target, and what not. */
export function testTargets({ type, unknownTarget = false }: SourceSuite, format: DumpFormat, bench: Bench): void {
  const mayClean = type.capabilities().restoreOptions.includes('clean');

  /** A dump of one database, and another one that already holds data. */
  async function withFilledTarget(
    work: (target: TestDatabase, dump: string, context: TestContext, source: TestDatabase) => Promise<void>,
  ): Promise<void> {
    await withContext(async (context) => {
      const [from, to] = [await bench().makeDatabase(), await bench().makeDatabase()];
      await from.fill();
      await to.fillLarge();
      await work(to, (await dumpToFile(openSource(type, from), format, context)).path, context, from);
    });
  }

  it('F40 refuses a target that holds data, and leaves it alone', async () => {
    await withFilledTarget(async (to, dump, context) => {
      const before = await to.fingerprint();
      const target = openSource(type, to);
      expect((await target.examineTarget(restoreOptions(format, false), context)).hasData).toBe(true);
      await expect(restoreFile(target, format, dump, context)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      expect(await to.fingerprint()).toEqual(before);
    });
  });

  it.runIf(mayClean)('replaces what is in the target when told to', async () => {
    await withFilledTarget(async (to, dump, context, from) => {
      await restoreFile(openSource(type, to), format, dump, context, true);
      expect(await to.fingerprint()).toEqual(await from.fingerprint());
    });
  });

  it('F40 leaves an empty target empty when its input breaks off', async () => {
    await withContext(async (context) => {
      const [from, to] = [await bench().makeDatabase(), await bench().makeDatabase()];
      await from.fillLarge();
      const before = await to.fingerprint();
      const { path } = await dumpToFile(openSource(type, from), format, context);
      await expectBrokenRestore(to, path, context, unknownTarget);
      expect(await to.fingerprint()).toEqual(before);
    });
  });

  it.runIf(mayClean)('F40 leaves the old data in the target when its input breaks off', async () => {
    await withFilledTarget(async (to, dump, context) => {
      const before = await to.fingerprint();
      await expectBrokenRestore(to, dump, context, true);
      expect(await to.fingerprint()).toEqual(before);
    });
  });

  it('F23 leaves the target as it was when it is aborted', async () => {
    await withContext(async (context) => {
      const [from, to] = [await bench().makeDatabase(), await bench().makeDatabase()];
      await from.fill();
      const before = await to.fingerprint();
      const { path } = await dumpToFile(openSource(type, from), format, context);
      const earlier = children();
      const restoring = restoreFile(openSource(type, to), format, path, context, unknownTarget);
      context.controller.abort(new Error('aborted by the test'));
      await expect(restoring).rejects.toThrow('aborted by the test');
      expect(newChildren(earlier)).toEqual([]);
      expect(await to.fingerprint()).toEqual(before);
    });
  });

  async function expectBrokenRestore(
    to: TestDatabase,
    dump: string,
    context: TestContext,
    clean: boolean,
  ): Promise<void> {
    const earlier = children();
    const input = await brokenInput(dump, context);
    const restoring = openSource(type, to).restore({ ...restoreOptions(format, clean), input }, context);
    await expect(restoring).rejects.toThrow(input.kind === 'stream' ? 'broken by the test' : undefined);
    await vi.waitUntil(() => newChildren(earlier).length === 0, { timeout: 2_000, interval: 20 });
  }

  /** A stream that errors, or a file that lacks its second half. */
  async function brokenInput(dump: string, context: TestContext): Promise<RestoreInput> {
    const half = Math.floor((await stat(dump)).size / 2);
    if (format.restoreFrom === 'stream') return { kind: 'stream', stream: Readable.from(breakingOff(dump, half)) };
    const path = join(context.folder, 'half');
    await writeFile(path, (await readFile(dump)).subarray(0, half));
    return { kind: 'file', path };
  }
}

async function* breakingOff(path: string, bytes: number): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path, { end: bytes - 1 })) yield chunk;
  throw new Error('broken by the test');
}
