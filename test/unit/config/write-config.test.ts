import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createConfig, replaceConfig } from '../../../src/config/write-config.ts';

describe('writing a config', () => {
  let folder = '';
  let file = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-write-'));
    file = join(folder, 'dbbackup.yaml');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('a new one is for its owner alone, and never takes the place of another', async () => {
    await createConfig(file, 'first');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(createConfig(file, 'second')).rejects.toMatchObject({
      code: 'USAGE',
      hint: expect.stringMatching(/job add/),
    });
    expect(await readFile(file, 'utf8')).toBe('first');
    expect(await readdir(folder)).toEqual(['dbbackup.yaml']);
  });

  test('a folder that is not there is told', async () => {
    await expect(createConfig(join(folder, 'none', 'x.yaml'), '')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/x\.yaml cannot be written/),
    });
  });

  test('a changed one keeps its mode, and a link stays a link', async () => {
    await writeFile(file, 'before');
    await chmod(file, 0o640);
    const link = join(folder, 'link.yaml');
    await symlink(file, link);
    await replaceConfig(link, 'before', 'after');
    expect(await readFile(file, 'utf8')).toBe('after');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).sort()).toEqual(['dbbackup.yaml', 'link.yaml']);
  });

  test('what was changed meanwhile is left alone', async () => {
    await writeFile(file, 'of another');
    await expect(replaceConfig(file, 'before', 'after')).rejects.toMatchObject({ code: 'BUSY' });
    expect(await readFile(file, 'utf8')).toBe('of another');
    expect(await readdir(folder)).toEqual(['dbbackup.yaml']);
  });
});
