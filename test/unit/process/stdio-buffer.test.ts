import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capture } from '../../../src/process/process.ts';
import { withLargeBuffers } from '../../../src/process/stdio-buffer.ts';

describe('large stdio buffers', () => {
  it.runIf(existsSync('/usr/bin/stdbuf'))('are set up in the program itself', async () => {
    const { stdout } = await capture({ command: '/usr/bin/env', args: [], largeBuffers: true });
    expect(stdout).toContain('_STDBUF_I=65536');
    expect(stdout).toContain('_STDBUF_O=65536');
  });

  it('leave exit code and stderr the program’s own', async () => {
    const failing = capture({ command: '/bin/sh', args: ['-c', 'echo broken >&2; exit 7'], largeBuffers: true });
    await expect(failing).rejects.toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('broken') });
    await expect(failing).rejects.toThrow(/sh exited with (code )?7/);
  });

  it('let a program that is missing fail under its own name', async () => {
    expect(withLargeBuffers('/nowhere/pg_dump', ['--version'])).toEqual(['/nowhere/pg_dump', ['--version']]);
    const missing = capture({ command: '/nowhere/pg_dump', args: [], largeBuffers: true });
    await expect(missing).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });
});
