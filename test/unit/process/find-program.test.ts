import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../../src/process/process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-process-'));
  await writeFile(join(folder, 'tool-of-ours'), '#!/bin/sh\n');
  await chmod(join(folder, 'tool-of-ours'), 0o700);
  await writeFile(join(folder, 'only-a-file'), '');
  await mkdir(join(folder, 'only-a-folder'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('findProgram', () => {
  it('looks on PATH first', async () => {
    expect(await findProgram('sh', [folder])).toMatch(/^\/.*\/sh$/);
  });

  it('looks in the further folders', async () => {
    expect(await findProgram('tool-of-ours')).toBeUndefined();
    expect(await findProgram('tool-of-ours', ['/nowhere', folder])).toBe(join(folder, 'tool-of-ours'));
  });

  it('checks a path', async () => {
    expect(await findProgram(join(folder, 'tool-of-ours'))).toBe(join(folder, 'tool-of-ours'));
    expect(await findProgram(join(folder, 'gone'))).toBeUndefined();
  });

  it.each(['only-a-file', 'only-a-folder'])('does not take %s for a program', async (name) => {
    expect(await findProgram(name, [folder])).toBeUndefined();
  });
});
