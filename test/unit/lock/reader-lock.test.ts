import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireReaderLock, isBeingRead } from '../../../src/lock/reader-lock.ts';
import { clearDeadExecutions, lockNames } from '../../../src/lock/run-lock.ts';
import { lockFolder } from '../../../src/state-folder.ts';

const holder = { executionId: 'e', host: 'h', pid: process.pid, command: 'verify' };
const signal = new AbortController().signal;
let stateFolder: string;

beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'dbbackup-reader-'));
});
afterEach(() => rm(stateFolder, { recursive: true }));

test('readers do not exclude one another, and the last one frees the backup', async () => {
  expect(await isBeingRead(stateFolder, 'a')).toBe(false);
  const first = await acquireReaderLock('a', { stateFolder, holder, signal });
  const second = await acquireReaderLock('a', { stateFolder, holder, signal });
  expect([await isBeingRead(stateFolder, 'a'), await isBeingRead(stateFolder, 'b')]).toEqual([true, false]);
  await first.release();
  expect(await isBeingRead(stateFolder, 'a')).toBe(true);
  await second.release();
  expect(await isBeingRead(stateFolder, 'a')).toBe(false);
});

test('what a dead reader left holds nothing and is cleared; what a living one holds is not', async () => {
  const living = await acquireReaderLock('b', { stateFolder, holder, signal });
  await writeFile(join(lockFolder(stateFolder), 'backup~a~dead.lock'), '');
  expect(await isBeingRead(stateFolder, 'a')).toBe(false);
  await clearDeadExecutions(stateFolder);
  expect(await lockNames(stateFolder)).toEqual([living.name]);
  await living.release();
});
