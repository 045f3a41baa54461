import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { capture, consume, type ProgramSpec, produce } from '../../src/process/process.ts';
import { isAlive, scriptedDump } from '../scripted-dump/fake-program.ts';

const compiled = fileURLToPath(new URL('../../dist/process/process.js', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-fault-'));
});
afterEach(() => rm(folder, { recursive: true }));

function dump(env: Record<string, string>): ProgramSpec {
  return { command: scriptedDump, args: [], env };
}

async function readNumber(name: string): Promise<number> {
  return Number(await readFile(join(folder, name), 'utf8'));
}

/** Counts, and notes whether it was told that the stream is whole. */
function destination() {
  const state = { bytes: 0, published: false };
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      state.bytes += chunk.length;
      done();
    },
    final(done) {
      state.published = true;
      done();
    },
  });
  return { state, stream };
}

describe('a program that cannot be started', () => {
  it('F01 missing: the stream errors at once and names the tool and the package', async () => {
    const { state, stream } = destination();
    const missingHint = 'Install it: apt-get install postgresql-client';
    const program = produce({ command: 'pg_dump_not_here', args: [], missingHint });
    await expect(pipeline(program.stdout, stream)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('pg_dump_not_here was not found'),
      hint: missingHint,
    });
    expect(state).toEqual({ bytes: 0, published: false });
    await expect(program.ended).rejects.toMatchObject({ code: 'TOOL_MISSING' });
    await program.stop();
  });
});

describe('a program that dies', () => {
  it('F06 killed after some MB: an error in place of the end', async () => {
    const { state, stream } = destination();
    const program = produce(dump({ DUMP_BYTES: '8000000', DUMP_KILL_AT: '3000000' }));
    await expect(pipeline(program.stdout, stream)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'scripted-dump.js was killed by SIGKILL',
    });
    expect(state.published).toBe(false);
    expect(state.bytes).toBeGreaterThan(0);
    expect(state.bytes).toBeLessThanOrEqual(3_000_000);
  });

  it('F06 its helpers do not survive it, nor keep the stream open', async () => {
    const env = { DUMP_KILL_AT: '100000', DUMP_GRANDCHILD: join(folder, 'grandchild') };
    await expect(pipeline(produce(dump(env)).stdout, destination().stream)).rejects.toMatchObject({
      message: 'scripted-dump.js was killed by SIGKILL',
    });
    expect(isAlive(await readNumber('grandchild'))).toBe(false);
  });
});

describe('a program that stalls', () => {
  it.each<Record<string, string>>([
    {},
    { DUMP_IGNORE_TERM: '1' },
  ])('F08 %o: the idle time-out ends the whole group', async (extra) => {
    const env = { DUMP_STALL_AT: '100000', DUMP_GRANDCHILD: join(folder, 'grandchild'), ...extra };
    const program = produce({ ...dump(env), idleTimeoutMs: 1500 });
    const { state, stream } = destination();
    await expect(pipeline(program.stdout, stream)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'scripted-dump.js was silent for 1.5 s and was stopped',
    });
    expect(state).toEqual({ bytes: 100_000, published: false });
    expect(isAlive(program.pid ?? 0)).toBe(false);
    expect(isAlive(await readNumber('grandchild'))).toBe(false);
  });
});

describe('a program that floods stderr', () => {
  it('F12 100 MB: no deadlock, bounded memory, the tail is kept', async () => {
    const before = process.memoryUsage().rss;
    let highest = before;
    const watch = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage().rss);
    }, 10);
    const env = { DUMP_STDERR_BYTES: '100000000', DUMP_STDERR: 'the last word', DUMP_EXIT: '1' };
    const failure = await capture(dump(env)).catch((error) => error);
    clearInterval(watch);
    expect(failure).toMatchObject({ code: 'TOOL_FAILED', message: expect.stringMatching(/the last word$/) });
    expect(failure.message.length).toBeLessThan(9000);
    expect(highest - before).toBeLessThan(60e6);
  });
});

describe('an abort', () => {
  it('F23 ends the group, and the stream closes only when it is gone', async () => {
    const abort = new AbortController();
    const env = { DUMP_STALL_AT: '100000', DUMP_GRANDCHILD: join(folder, 'grandchild') };
    const program = produce({ ...dump(env), signal: abort.signal });
    const failed = expect(pipeline(program.stdout, destination().stream)).rejects.toThrow('Ctrl-C');
    await vi.waitFor(() => access(join(folder, 'grandchild')), 10_000);
    const reason = new Error('Ctrl-C');
    abort.abort(reason);
    await failed;
    expect(isAlive(program.pid ?? 0)).toBe(false);
    expect(isAlive(await readNumber('grandchild'))).toBe(false);
    await expect(program.ended).rejects.toBe(reason);
  });

  it.each([
    ['exits', 'process.exit(0)', 0],
    ['crashes', 'throw new Error("bug")', 1],
  ])('F23 when our own process %s, the group goes with it', async (_what, code, expected) => {
    const script = `
      import { produce } from ${JSON.stringify(compiled)};
      const program = produce({ command: ${JSON.stringify(scriptedDump)}, args: [] });
      program.stdout.once('data', () => { ${code} });`;
    const env = {
      ...process.env,
      DUMP_STALL_AT: '10',
      DUMP_IGNORE_TERM: '1',
      DUMP_PID_FILE: join(folder, 'pid'),
      DUMP_GRANDCHILD: join(folder, 'grandchild'),
    };
    const ours = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    const exitCode = await ours.then(
      () => 0,
      (error) => error.code,
    );
    expect(exitCode).toBe(expected);
    for (const name of ['pid', 'grandchild']) {
      const pid = await readNumber(name);
      await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 30_000);
    }
  });
});

describe('F22 a program that reads never sees the end of a cut stream', () => {
  // Does at the end of its input what psql would do there: it commits.
  function importer(signal?: AbortSignal): ProgramSpec {
    const script = `head -c 10 >/dev/null; touch "$READING"; cat >/dev/null; touch "$COMMITTED"`;
    const env = { READING: join(folder, 'reading'), COMMITTED: join(folder, 'committed') };
    return { command: 'sh', args: ['-c', script], env, signal };
  }

  function cutAfterReading(cut: () => void): Readable {
    return Readable.from(
      (async function* () {
        yield Buffer.alloc(50_000, 'x');
        await vi.waitFor(() => access(join(folder, 'reading')), { timeout: 30_000, interval: 5 });
        cut();
        yield Buffer.alloc(50_000, 'x');
        // Long after the end; not for ever, because Node 22 waits for a generator that it destroys.
        await delay(5_000);
      })(),
    );
  }

  async function expectNoCommit(pid: number | undefined): Promise<void> {
    expect(isAlive(pid ?? 0)).toBe(false);
    await expect(stat(join(folder, 'committed'))).rejects.toMatchObject({ code: 'ENOENT' });
  }

  it('control: it commits at the end of a whole stream', async () => {
    await pipeline(Readable.from([Buffer.alloc(50_000)]), consume(importer()).stdin);
    await access(join(folder, 'committed'));
  });

  it('upstream fails: killed before its stdin is closed', async () => {
    for (let round = 0; round < 10; round += 1) {
      const program = consume(importer());
      const cut = cutAfterReading(() => {
        throw new Error('integrity');
      });
      await expect(pipeline(cut, program.stdin)).rejects.toThrow('integrity');
      await program.stop();
      await expectNoCommit(program.pid);
      await rm(join(folder, 'reading'));
    }
  });

  it('the dump program is killed: so is the importer', async () => {
    const program = consume(importer());
    const broken = produce(dump({ DUMP_BYTES: '8000000', DUMP_KILL_AT: '3000000' }));
    await expect(pipeline(broken.stdout, program.stdin)).rejects.toMatchObject({
      message: 'scripted-dump.js was killed by SIGKILL',
    });
    await program.stop();
    await expectNoCommit(program.pid);
  });

  it('abort: killed before its stdin is closed', async () => {
    const abort = new AbortController();
    const program = consume(importer(abort.signal));
    const cut = cutAfterReading(() => abort.abort(new Error('Ctrl-C')));
    await expect(pipeline(cut, program.stdin)).rejects.toThrow('Ctrl-C');
    await expectNoCommit(program.pid);
  });

  it('a program that would commit on SIGTERM gets none', async () => {
    const trap = `trap 'touch "$COMMITTED"; exit 0' TERM; touch "$READING"; while :; do sleep 0.05; done`;
    const program = consume({ ...importer(), args: ['-c', trap] });
    const cut = cutAfterReading(() => {
      throw new Error('integrity');
    });
    await expect(pipeline(cut, program.stdin)).rejects.toThrow('integrity');
    await program.stop();
    await expectNoCommit(program.pid);
  });

  it('destroyed without an error: killed as well', async () => {
    const program = consume(importer());
    program.stdin.write(Buffer.alloc(50_000));
    await vi.waitFor(() => access(join(folder, 'reading')), 10_000);
    program.stdin.destroy();
    await once(program.stdin, 'close');
    await expectNoCommit(program.pid);
  });
});
