import { once } from 'node:events';
import { Readable, Transform } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DbBackupError } from '../../../src/errors.ts';
import { meter } from '../../../src/pipeline/meter.ts';
import { readThrough, runPipeline, type Sink } from '../../../src/pipeline/run.ts';
import {
  collect,
  dumpText,
  failingStage,
  neverAborted,
  readingSink,
  sha256,
  sourceOf,
  stageOf,
  zeros,
} from './streams.ts';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));
afterEach(async () => {
  await new Promise(setImmediate);
  expect(unhandled).toEqual([]);
});

const content = dumpText(300_000);

function rejectingSink(name: string, error: Error, afterBytes = 0): Sink<string> {
  return {
    name,
    async consume(stream) {
      let seen = 0;
      for await (const chunk of stream) {
        seen += chunk.length;
        if (seen > afterBytes) throw error;
      }
      return '';
    },
  };
}

describe('runPipeline', () => {
  test('gives every sink every byte, through the stages in order, and results in the order of the sinks', async () => {
    const upper = stageOf(
      'upper',
      new Transform({ transform: (chunk, _e, done) => done(null, chunk.toString().toUpperCase()) }),
    );
    const before = meter('meter:before');
    const exclaim = stageOf(
      'exclaim',
      new Transform({ transform: (c, _e, done) => done(null, c), flush: (done) => done(null, '!') }),
    );
    const outcomes = await runPipeline({
      source: sourceOf(Buffer.from('abc'), Buffer.from('def')),
      stages: [before, upper, exclaim],
      sinks: ['one', 'two', 'three'].map(readingSink),
      signal: neverAborted,
    });
    const value = sha256(Buffer.from('ABCDEF!'));
    expect(outcomes).toEqual(['one', 'two', 'three'].map((name) => ({ name, status: 'fulfilled', value })));
    expect(before.result().bytes).toBe(6);
  });

  test('F21 drops one failing sink of three; the other two are complete', async () => {
    const error = new Error('disk is full');
    const sinks = [readingSink('a'), rejectingSink('b', error, 100_000), readingSink('c')];
    const source = Readable.from([content.subarray(0, 200_000), content.subarray(200_000)], { objectMode: false });
    const outcomes = await runPipeline({ source, stages: [], sinks, signal: neverAborted });
    expect(outcomes).toEqual([
      { name: 'a', status: 'fulfilled', value: sha256(content) },
      { name: 'b', status: 'rejected', error },
      { name: 'c', status: 'fulfilled', value: sha256(content) },
    ]);
  });

  test('rejects with the first error when all sinks fail, and closes the source', async () => {
    const source = zeros(100_000_000);
    const sinks = [rejectingSink('late', new Error('late'), 5_000_000), rejectingSink('early', new Error('early'), 10)];
    await expect(runPipeline({ source, stages: [], sinks, signal: neverAborted })).rejects.toThrow('early');
    expect(source.closed).toBe(true);
  });

  test('a sink that resolves before the end has failed', async () => {
    const early: Sink<string> = { name: 'early', consume: async () => '' };
    const run = { stages: [], signal: neverAborted };
    const [first, second] = await runPipeline({ ...run, source: sourceOf(content), sinks: [early, readingSink('b')] });
    expect(first).toMatchObject({ status: 'rejected', error: { code: 'PIPELINE_FAILED' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: sha256(content) });
    await expect(runPipeline({ ...run, source: sourceOf(content), sinks: [early] })).rejects.toThrow(
      'early stopped before the end of the stream',
    );
  });

  test('a sink that throws at once is only a failed sink', async () => {
    const broken: Sink<string> = {
      name: 'broken',
      consume() {
        throw new Error('at once');
      },
    };
    const sinks = [broken, readingSink('b')];
    const outcomes = await runPipeline({ source: sourceOf(content), stages: [], sinks, signal: neverAborted });
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled']);
  });

  test('F22 a source that fails before its first byte: every stream errors, none ends', async () => {
    const error = new DbBackupError('TOOL_FAILED', 'pg_dump exited with code 1');
    const source = new Readable({ read: () => source.destroy(error) });
    const sinks = [readingSink('a'), readingSink('b')];
    const run = runPipeline({ source, stages: [meter('meter:raw')], sinks, signal: neverAborted });
    await expect(run).rejects.toBe(error);
    expect(sinks.map((sink) => sink.seen)).toEqual([['error'], ['error']]);
  });

  test('F22 a source that had failed before the run, and one that closes without an error', async () => {
    const error = new Error('already gone');
    const gone = new Readable({ read() {} });
    gone.on('error', () => {}).destroy(error);
    await new Promise(setImmediate);
    const sink = readingSink('a');
    await expect(runPipeline({ source: gone, stages: [], sinks: [sink], signal: neverAborted })).rejects.toBe(error);
    const cut = new Readable({ read() {} });
    cut.push(content);
    setImmediate(() => cut.destroy());
    const cutSink = readingSink('b');
    const stages = [meter('meter:raw')];
    await expect(runPipeline({ source: cut, stages, sinks: [cutSink], signal: neverAborted })).rejects.toMatchObject({
      code: 'PIPELINE_FAILED',
      message: 'the stream was closed before its end',
    });
    expect([sink.seen, cutSink.seen]).toEqual([['error'], ['error']]);
  });

  test('F11 a stage that throws mid-stream: named, cause kept, everything closed, no sink sees an end', async () => {
    const cause = new DbBackupError('DISK_FULL', 'no room', { hint: 'make room' });
    const source = zeros(50_000_000);
    const stages = [meter('meter:raw'), failingStage('encrypt', 20, cause), meter('meter:stored')];
    const sinks = [readingSink('a'), readingSink('b')];
    await expect(runPipeline({ source, stages, sinks, signal: neverAborted })).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: 'encrypt failed: no room',
      hint: 'make room',
      cause,
    });
    expect(sinks.map((sink) => sink.seen)).toEqual([['error'], ['error']]);
    expect([source, ...stages.map((stage) => stage.stream)].map((stream) => stream.closed)).toEqual(
      Array(4).fill(true),
    );
  });

  test('a stage that fails at the very end still keeps every sink from its end', async () => {
    const late = stageOf(
      'check',
      new Transform({ transform: (c, _e, done) => done(null, c), flush: (done) => done(new Error('wrong end')) }),
    );
    const sink = readingSink('a');
    const run = runPipeline({ source: sourceOf(content), stages: [late], sinks: [sink], signal: neverAborted });
    await expect(run).rejects.toThrow('check failed: wrong end');
    expect(sink.seen).toEqual(['error']);
  });

  test('an abort errors every stream, tells the sinks why, and waits for their clean-up', async () => {
    const controller = new AbortController();
    const reason = new DbBackupError('INTERRUPTED', 'interrupted by Ctrl-C');
    const source = zeros(4e9);
    let cleaned = false;
    const told: unknown[] = [];
    const slow: Sink<string> = {
      name: 'slow',
      async consume(stream, signal) {
        try {
          for await (const _ of stream) if (!controller.signal.aborted) controller.abort(reason);
        } catch (error) {
          told.push(error, signal.reason);
          for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
          cleaned = true;
          throw error;
        }
        return '';
      },
    };
    const run = runPipeline({ source, stages: [meter('meter:raw')], sinks: [slow], signal: controller.signal });
    await expect(run).rejects.toBe(reason);
    expect(told).toEqual([reason, reason]);
    expect(cleaned).toBe(true);
    expect(source.closed).toBe(true);
  });

  test('a signal aborted beforehand lets nothing through', async () => {
    const reason = new DbBackupError('TERMINATED', 'terminated');
    const sink = readingSink('a');
    const signal = AbortSignal.abort(reason);
    await expect(runPipeline({ source: sourceOf(content), stages: [], sinks: [sink], signal })).rejects.toBe(reason);
    expect(sink.seen).toEqual(['error']);
  });

  test('a sink that starts to read late finds an error, never an end', async () => {
    const late: Sink<string> = {
      name: 'late',
      async consume(stream, signal) {
        while (!signal.aborted) await new Promise(setImmediate);
        return sha256(await collect(stream));
      },
    };
    const source = new Readable({ read: () => source.destroy(new Error('gone')) });
    await expect(runPipeline({ source, stages: [], sinks: [late], signal: neverAborted })).rejects.toThrow('gone');
  });

  test('leaves no listener behind on the signal', async () => {
    const controller = new AbortController();
    const added: string[] = [];
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      added.push('add');
      addEventListener.apply(controller.signal, args);
    };
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      added.push('remove');
      removeEventListener.apply(controller.signal, args);
    };
    await runPipeline({ source: sourceOf(content), stages: [], sinks: [readingSink('a')], signal: controller.signal });
    expect(added).toEqual(['add', 'remove']);
  });

  test('a dozen sinks that wait for the signal are no leak to warn of', async () => {
    const warnings: string[] = [];
    const warned = ({ name }: Error) => void warnings.push(name);
    process.on('warning', warned);
    const waiting: Sink<void> = {
      name: 'waiting',
      async consume(stream, signal) {
        const aborted = once(signal, 'abort');
        stream.resume();
        await Promise.race([aborted, once(stream, 'end')]);
      },
    };
    const sinks = Array.from({ length: 12 }, () => waiting);
    await runPipeline({ source: sourceOf(content), stages: [], sinks, signal: neverAborted });
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  test('refuses a run without sinks', async () => {
    const run = runPipeline({ source: sourceOf(content), stages: [], sinks: [], signal: neverAborted });
    await expect(run).rejects.toMatchObject({ code: 'UNEXPECTED' });
  });
});

describe('readThrough', () => {
  test('gives the output of the last stage', async () => {
    const stages = [meter('a'), meter('b')];
    const output = await collect(readThrough({ source: sourceOf(content), stages, signal: neverAborted }));
    expect(sha256(output)).toBe(sha256(content));
  });

  test('an error of any stage is the first error, and no end', async () => {
    const stages = [failingStage('decrypt', 2, new Error('bad tag')), meter('b')];
    const output = readThrough({ source: zeros(10_000_000), stages, signal: neverAborted });
    let ended = false;
    output.once('end', () => {
      ended = true;
    });
    await expect(collect(output)).rejects.toThrow('decrypt failed: bad tag');
    expect(ended).toBe(false);
  });

  test('destroying it closes the source and the stages', async () => {
    const source = zeros(4e9);
    const stage = meter('a');
    const output = readThrough({ source, stages: [stage], signal: neverAborted });
    for await (const _ of output) break;
    for (const stream of [source, stage.stream]) {
      if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
    }
    expect(output.closed).toBe(true);
  });

  test('an abort after everything has been read ahead still errors', async () => {
    const controller = new AbortController();
    const source = sourceOf(Buffer.from('short'));
    const output = readThrough({ source, stages: [], signal: controller.signal });
    if (!source.closed) await new Promise((resolve) => source.once('close', resolve));
    controller.abort(new Error('too late'));
    await expect(collect(output)).rejects.toThrow('too late');
  });
});
