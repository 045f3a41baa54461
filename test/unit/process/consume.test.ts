import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consume } from '../../../src/process/process.ts';
import { scriptedDump } from '../../scripted-dump/fake-program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-process-'));
});
afterEach(() => rm(folder, { recursive: true }));

function reader(env: Record<string, string> = {}) {
  const files = { DUMP_INPUT_FILE: join(folder, 'input'), DUMP_EOF_FILE: join(folder, 'eof') };
  return { command: scriptedDump, args: [], env: { DUMP_MODE: 'read', ...files, ...env } };
}

function blocks(count: number): Readable {
  return Readable.from(Array.from({ length: count }, (_, i) => Buffer.alloc(100_000, i)));
}

describe('consume', () => {
  it('gives the program every byte, the prefix first, and finishes at its exit', async () => {
    const program = consume({ ...reader(), stdinPrefix: Buffer.from('secret\n') });
    await pipeline(blocks(30), program.stdin);
    const expected = Buffer.concat([Buffer.from('secret\n'), ...(await blocks(30).toArray())]);
    expect(Buffer.compare(await readFile(join(folder, 'input')), expected)).toBe(0);
    expect(await program.ended).toEqual({ exitCode: 0, stderrTail: '' });
  });

  it('does not finish when the program has read everything and then fails', async () => {
    const program = consume(reader({ DUMP_EXIT: '3', DUMP_STDERR: 'constraint violated' }));
    await expect(pipeline(blocks(3), program.stdin)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'scripted-dump.js exited with code 3: constraint violated',
    });
    expect(await readFile(join(folder, 'eof'), 'utf8')).toBe('300000');
  });

  it('shows the failure of a program that died early, not EPIPE', async () => {
    const program = consume(reader({ DUMP_EXIT_AT: '1000', DUMP_EXIT: '3', DUMP_STDERR: 'syntax error' }));
    await expect(pipeline(blocks(300), program.stdin)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'scripted-dump.js exited with code 3: syntax error',
    });
  });

  it('hears of the death of the program while nothing is being written', async () => {
    const program = consume({ command: 'sh', args: ['-c', 'echo refused >&2; exit 2'] });
    const endless = new Readable({ read: () => {} });
    await expect(pipeline(endless, program.stdin)).rejects.toMatchObject({ message: 'sh exited with code 2: refused' });
  });

  it('fails when the program exits 0 before it was given its end of input', async () => {
    const program = consume(reader({ DUMP_EXIT_AT: '1000' }));
    await expect(pipeline(blocks(300), program.stdin)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'scripted-dump.js exited before it had read all of its input',
    });
  });

  it('ends a program that has closed its input and stays', async () => {
    const program = consume({ command: 'sh', args: ['-c', 'exec <&-; sleep 60'] });
    await expect(pipeline(blocks(300), program.stdin)).rejects.toMatchObject({
      message: 'sh closed its input before the end',
    });
  });

  it('is not kept waiting by what the program writes to stdout', async () => {
    const program = consume({ command: 'cat', args: [] });
    await pipeline(blocks(100), program.stdin);
  });

  it('does not take a slow writer for a stalled program', async () => {
    const program = consume({ ...reader(), idleTimeoutMs: 1000 });
    const slow = Readable.from(
      (async function* () {
        yield Buffer.from('first');
        await delay(2500);
        yield Buffer.from('last');
      })(),
    );
    await pipeline(slow, program.stdin);
    expect(await readFile(join(folder, 'input'), 'utf8')).toBe('firstlast');
  });

  it('ends a program that accepts no more input', async () => {
    const program = consume({ ...reader({ DUMP_STALL_AT: '1000' }), idleTimeoutMs: 500 });
    await expect(pipeline(blocks(300), program.stdin)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'scripted-dump.js was silent for 0.5 s and was stopped',
    });
    await expect(stat(join(folder, 'eof'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('fails when the program is missing', async () => {
    const program = consume({ command: 'surely-not-here', args: [] });
    await expect(pipeline(blocks(3), program.stdin)).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });
});
