import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../../src/make-folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'make-folder-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('makes all that is missing, private, and tells the topmost', async () => {
  expect(await makeFolder(join(folder, 'a/b/c'))).toBe(join(folder, 'a'));
  for (const each of ['a', 'a/b', 'a/b/c']) expect((await stat(join(folder, each))).mode & 0o777).toBe(0o700);
});

test('leaves what is there', async () => {
  expect(await makeFolder(folder)).toBeUndefined();
  expect(await makeFolder('/')).toBeUndefined();
});

test('many at once do not disturb each other', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => makeFolder(join(folder, 'x/y/z'))));
  expect(made.filter((each) => each === join(folder, 'x')).length).toBeGreaterThanOrEqual(1);
});

test('refuses a file in the way', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.runIf(process.platform === 'linux')('gives up where the kernel makes no folders', async () => {
  await expect(makeFolder('/proc/dbbackup/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
