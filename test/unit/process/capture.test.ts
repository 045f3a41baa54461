import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capture, ProgramFailure } from '../../../src/process/process.ts';
import { registerSecret } from '../../../src/redact.ts';
import { scriptedDump } from '../../scripted-dump/fake-program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-process-'));
});
afterAll(() => rm(folder, { recursive: true }));

function shell(script: string) {
  return { command: 'sh', args: ['-c', script] };
}

describe('capture', () => {
  it('returns what the program wrote on both outputs', async () => {
    const output = await capture(shell('printf "größe\\n"; echo notice >&2'));
    expect(output).toEqual({ stdout: 'größe\n', stderrTail: 'notice', exitCode: 0 });
  });

  it('fails with the exit code and the stderr of the program', async () => {
    const failure = await capture(shell('echo half; echo "no such table" >&2; exit 3')).catch((error) => error);
    expect(failure).toBeInstanceOf(ProgramFailure);
    expect(failure).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'sh exited with code 3: no such table',
      toolExitCode: 3,
      stderrTail: 'no such table',
    });
  });

  it('gives the way out when a wrapper does not find the program', async () => {
    const spec = { ...shell('exec surely-not-here'), missingHint: 'Install it.' };
    await expect(capture(spec)).rejects.toMatchObject({ code: 'TOOL_FAILED', toolExitCode: 127, hint: 'Install it.' });
  });

  it('names the missing working folder, not the program', async () => {
    const spec = { ...shell('true'), cwd: join(folder, 'nowhere') };
    await expect(capture(spec)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('nowhere'),
    });
  });

  it('fails on a file that may not be executed', async () => {
    const file = join(folder, 'not-executable');
    await writeFile(file, '#!/bin/sh\n');
    await chmod(file, 0o600);
    await expect(capture({ command: file, args: [] })).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('not-executable may not be executed'),
    });
  });

  it('refuses a secret among the arguments and starts nothing', async () => {
    registerSecret('canary-in-argv');
    const marker = join(folder, 'started');
    await expect(capture(shell(`touch ${marker}; : canary-in-argv`))).rejects.toMatchObject({
      code: 'UNEXPECTED',
      message: expect.not.stringContaining('canary'),
    });
    await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('never shows a secret that the program printed', async () => {
    registerSecret('canary-on-stderr');
    const spec = { ...shell('echo "password $S is wrong" >&2; exit 1'), env: { S: 'canary-on-stderr' } };
    await expect(capture(spec)).rejects.toMatchObject({
      message: 'sh exited with code 1: password *** is wrong',
      stderrTail: 'password *** is wrong',
    });
  });

  it('adds to our environment, and removes from it', async () => {
    process.env['DBBACKUP_TEST_KEPT'] = 'kept';
    process.env['DBBACKUP_TEST_REMOVED'] = 'removed';
    const { stdout } = await capture({
      ...shell('echo "$DBBACKUP_TEST_KEPT,$DBBACKUP_TEST_REMOVED,$ADDED"'),
      env: { DBBACKUP_TEST_REMOVED: undefined, ADDED: 'added' },
    });
    expect(stdout).toBe('kept,,added\n');
  });

  it('writes the prefix to stdin, and the end of input after it', async () => {
    const { stdout } = await capture({
      ...shell('IFS= read -r S; echo "got $S"; cat'),
      stdinPrefix: Buffer.from('s3\n'),
    });
    expect(stdout).toBe('got s3\n');
  });

  it('gives the program an empty stdin, not ours', async () => {
    expect((await capture({ command: 'cat', args: [] })).stdout).toBe('');
  });

  it('passes hostile arguments untouched', async () => {
    const hostile = ['--help', '$(rm)', 'line\nbreak', `quo'te"`, '../x', 'größe データ', ''];
    const file = join(folder, 'argv');
    await capture({ command: scriptedDump, args: hostile, env: { DUMP_ARGV_FILE: file, DUMP_BYTES: '0' } });
    const { stdout } = await capture({ command: 'cat', args: [file] });
    expect(JSON.parse(stdout)).toEqual(hostile);
  });

  it('refuses output without end', async () => {
    await expect(capture({ command: 'yes', args: [] })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('throws the reason of a signal that is already aborted', async () => {
    const reason = new Error('never mind');
    await expect(capture({ ...shell('true'), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
