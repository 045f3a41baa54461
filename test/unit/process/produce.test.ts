import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { produce } from '../../../src/process/process.ts';
import { isAlive, scriptedDump } from '../../scripted-dump/fake-program.ts';

function dump(env: Record<string, string>) {
  return { command: scriptedDump, args: [], env };
}

/** Reads to the end or the error, and says which. */
async function readAll(stream: Readable): Promise<{ bytes: number; sha256: string; error?: unknown }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let failed: unknown;
  try {
    for await (const chunk of stream) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    failed = error;
  }
  return { bytes, sha256: hash.digest('hex'), error: failed };
}

describe('produce', () => {
  it.each(['text', 'random'])('hands on every byte of a %s dump', async (payload) => {
    const env = { DUMP_BYTES: '5000001', DUMP_PAYLOAD: payload, DUMP_SEED: '7' };
    const expected = execFileSync(scriptedDump, { env: { ...process.env, ...env }, maxBuffer: 1e7 });
    const program = produce(dump(env));
    expect(await readAll(program.stdout)).toEqual({
      bytes: expected.length,
      sha256: createHash('sha256').update(expected).digest('hex'),
      error: undefined,
    });
    expect(await program.ended).toEqual({ exitCode: 0, stderrTail: '' });
  });

  it('holds the end of stdout back until the exit code is known', async () => {
    const script = 'echo data; exec >&-; sleep 0.3; echo "too late" >&2; exit 5';
    const program = produce({ command: 'sh', args: ['-c', script] });
    let sawEnd = false;
    program.stdout.on('end', () => {
      sawEnd = true;
    });
    const result = await readAll(program.stdout);
    expect(result).toMatchObject({
      bytes: 5,
      error: { code: 'TOOL_FAILED', message: 'sh exited with code 5: too late' },
    });
    expect(sawEnd).toBe(false);
    await expect(program.ended).rejects.toBe(result.error);
  });

  it('fails when the trailer was written and the exit code is not 0', async () => {
    const { error } = await readAll(produce(dump({ DUMP_BYTES: '1000', DUMP_EXIT: '1' })).stdout);
    expect(error).toMatchObject({ code: 'TOOL_FAILED', toolExitCode: 1 });
  });

  it('is not kept waiting by a helper that left the group with our stderr', async () => {
    const script = 'echo data; setsid sleep 30 >/dev/null & echo $! >&2';
    const program = produce({ command: 'sh', args: ['-c', script] });
    const started = performance.now();
    expect(await readAll(program.stdout)).toMatchObject({ bytes: 5, error: undefined });
    expect(performance.now() - started).toBeLessThan(20_000);
    process.kill(Number((await program.ended).stderrTail), 'SIGKILL');
  });

  it('stops the program when its stdout is destroyed', async () => {
    const program = produce(dump({ DUMP_BYTES: '100000000' }));
    await once(program.stdout, 'readable');
    program.stdout.destroy();
    await once(program.stdout, 'close');
    expect(isAlive(program.pid ?? 0)).toBe(false);
    await expect(program.ended).rejects.toMatchObject({ message: 'scripted-dump.js was stopped before its end' });
  });

  it('stops once, for the first reason', async () => {
    const program = produce(dump({ DUMP_STALL_AT: '10' }));
    program.stdout.on('error', () => {});
    const reason = new Error('first');
    await Promise.all([program.stop(reason), program.stop(new Error('second'))]);
    expect(isAlive(program.pid ?? 0)).toBe(false);
    await expect(program.ended).rejects.toBe(reason);
    await program.stop(new Error('third'));
  });

  it('does nothing on a stop after the end', async () => {
    const program = produce(dump({ DUMP_BYTES: '10' }));
    await readAll(program.stdout);
    await program.stop(new Error('too late'));
    expect(await program.ended).toMatchObject({ exitCode: 0 });
  });

  it('does not take a slow reader for a stalled program, and reads ahead only a little', async () => {
    const program = produce({ ...dump({ DUMP_BYTES: '20000000' }), idleTimeoutMs: 1000 });
    await once(program.stdout, 'readable');
    await delay(2500);
    expect(program.stdout.readableLength).toBeLessThan(2 * 1024 * 1024);
    const { bytes, error } = await readAll(program.stdout);
    expect({ bytes, error }).toEqual({ bytes: 20_000_000 + '-- dump complete\n'.length, error: undefined });
  });

  it('ends a program that takes longer than it may, although it is never silent', async () => {
    const program = produce({
      command: 'sh',
      args: ['-c', 'while :; do echo .; sleep 0.02; done'],
      totalTimeoutMs: 300,
    });
    const { error } = await readAll(program.stdout);
    expect(error).toMatchObject({ code: 'TIMEOUT', message: 'sh did not end within 0.3 s and was stopped' });
    expect(isAlive(program.pid ?? 0)).toBe(false);
  });

  it('kills a program that ignores SIGTERM', async () => {
    const program = produce(dump({ DUMP_STALL_AT: '10', DUMP_IGNORE_TERM: '1' }));
    program.stdout.on('error', () => {});
    await once(program.stdout, 'readable');
    await program.stop();
    expect(isAlive(program.pid ?? 0)).toBe(false);
  });
});
