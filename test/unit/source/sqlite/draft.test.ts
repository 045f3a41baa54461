import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newDraft, removeAbandonedDrafts } from '../../../../src/source/sqlite/draft.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'draft-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a draft of a process that is no more goes, with its side files; all else stays', async () => {
  const { pid } = spawnSync('true');
  const alive = newDraft(folder);
  const dead = alive.replace(`-${process.pid}-`, `-${pid}-`);
  const ofAnotherMachine = dead.replace(/restore-[0-9a-f]{8}/, 'restore-00000000');
  const stays = [alive, ofAnotherMachine, join(folder, 'shop.sqlite'), join(folder, '.dbbackup-restore-1.sqlite')];
  for (const path of [...stays, dead, `${dead}-journal`, `${dead}-wal`]) await writeFile(path, 'x');
  await removeAbandonedDrafts(folder);
  expect((await readdir(folder)).sort()).toEqual(stays.map((path) => basename(path)).sort());
});

test('a folder that cannot be read is no reason to fail', async () => {
  await expect(removeAbandonedDrafts(join(folder, 'none'))).resolves.toBeUndefined();
});
