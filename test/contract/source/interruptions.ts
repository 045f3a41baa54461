import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import type { DumpFormat } from '../../../src/source/source.ts';
import type { Bench, SourceSuite, TestDatabase } from '../describe-source.ts';
import { children, newChildren } from './children.ts';
import { openSource, startDump } from './dump-and-restore.ts';
import { type TestContext, withContext } from './test-context.ts';

/** What is left behind may be notes (a list of tables), never a part of a dump. */
const notesBytes = 64 * 1024;

/** A dump that does not reach its end: the stream errors, and nothing of it stays. */
export function testInterruptions(suite: SourceSuite, format: DumpFormat, bench: Bench): void {
  const { type } = suite;
  const prepared = suite.preparedFormats?.includes(format.name) ?? false;
  let large: TestDatabase | undefined;

  async function largeDatabase(): Promise<TestDatabase> {
    if (large !== undefined) return large;
    const database = await bench().makeDatabase();
    await database.fillLarge();
    large = database;
    return database;
  }

  /** Starts a dump and hands over the moment at which its tool is at work. */
  async function interrupt(
    by: (tool: number | undefined, context: TestContext, stream?: Readable) => void,
  ): Promise<void> {
    const source = openSource(type, await largeDatabase());
    await withContext(async (context) => {
      const before = children();
      const dumping = startDump(source, format, context);
      dumping.catch(() => {});
      const stream = prepared ? undefined : await firstBytes((await dumping).stream);
      const tool = suite.inProcess
        ? undefined
        : await vi.waitUntil(() => newChildren(before)[0], { timeout: 20_000, interval: 5 });
      by(tool, context, stream);
      // Whether the failure shows in dump() or in its stream, it must show.
      await expect(dumping.then((dump) => readToEnd(dump.stream))).rejects.toThrow();
      await vi.waitUntil(() => newChildren(before).length === 0, { timeout: 30_000, interval: 20 });
      expect(await context.temporaryBytes()).toBeLessThan(notesBytes);
    });
  }

  it.skipIf(suite.inProcess)('F06 errors when its tool is killed in the middle', async () => {
    await interrupt((tool) => process.kill(tool ?? 0, 'SIGKILL'));
  });

  it('F23 ends at once when it is aborted in the middle', async () => {
    await interrupt((_tool, context) => context.controller.abort(new Error('aborted by the test')));
  });

  it('stops its tool when its stream is destroyed', async () => {
    if (prepared) await destroyPrepared();
    else await interrupt((_tool, _context, stream) => stream?.destroy(new Error('destroyed by the test')));
  });

  async function destroyPrepared(): Promise<void> {
    const source = openSource(type, await largeDatabase());
    await withContext(async (context) => {
      const before = children();
      const { stream } = await startDump(source, format, context);
      await firstBytes(stream);
      stream.destroy();
      await vi.waitUntil(() => stream.closed);
      expect(newChildren(before)).toEqual([]);
      expect(await context.temporaryBytes()).toBeLessThan(notesBytes);
    });
  }

  it('does not start when it has been aborted before', async () => {
    const source = openSource(type, await largeDatabase());
    await withContext(async (context) => {
      const before = children();
      context.controller.abort(new Error('aborted by the test'));
      await expect(startDump(source, format, context).then(({ stream }) => readToEnd(stream))).rejects.toThrow();
      expect(newChildren(before)).toEqual([]);
    });
  });
}

/** Waits until bytes are there and leaves them unread, so that the tool is soon held up by backpressure. */
async function firstBytes(stream: Readable): Promise<Readable> {
  stream.on('error', () => {});
  await once(stream, 'readable');
  return stream;
}

async function readToEnd(stream: Readable): Promise<void> {
  for await (const _chunk of stream);
}
