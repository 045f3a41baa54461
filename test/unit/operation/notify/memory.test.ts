import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprintOf, openMemory } from '../../../../src/operation/notify/memory.ts';
import { failure } from '../../notification/sample.ts';

const failedWith = (message: string, code = 'TOOL_FAILED') => ({ ...failure, error: { code, message } });

describe('a fingerprint', () => {
  test.each([
    ['times and sizes', 'stalled after 120 s at 5.2 GB', 'stalled after 7 s at 13.9 GB'],
    ['ids', 'upload of a_4f9c01.zst failed', 'upload of a_77e2ab.zst failed'],
  ])('does not depend on %s', (_, one, other) => {
    expect(fingerprintOf(failedWith(one))).toBe(fingerprintOf(failedWith(other)));
  });

  test('depends on the code, the words and the event', () => {
    const same = fingerprintOf(failedWith('disk full'));
    expect(fingerprintOf(failedWith('disk full', 'DISK_FULL'))).not.toBe(same);
    expect(fingerprintOf(failedWith('wrong password'))).not.toBe(same);
    expect(fingerprintOf({ ...failedWith('disk full'), event: 'warning' })).not.toBe(same);
  });
});

describe('the memory', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-memory-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('keeps what was told, for its owner alone, until it is forgotten', async () => {
    const memory = openMemory(folder, 'ops', 'shop');
    expect(await memory.recall()).toBeUndefined();
    await memory.remember(failure);
    expect(await openMemory(folder, 'ops', 'shop').recall()).toMatchObject({ fingerprint: fingerprintOf(failure) });
    expect(await openMemory(folder, 'ops', 'other').recall()).toBeUndefined();
    expect((await stat(join(folder, 'notified'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'notified', 'ops~shop.json'))).mode & 0o777).toBe(0o600);
    await memory.forget();
    expect(await memory.recall()).toBeUndefined();
    expect(await readdir(join(folder, 'notified'))).toEqual([]);
  });

  test.each(['', '{', '[]', '{"at":"yesterday","fingerprint":"x"}'])('takes %j for nothing', async (content) => {
    const memory = openMemory(folder, 'ops', 'shop');
    await memory.remember(failure);
    await writeFile(join(folder, 'notified', 'ops~shop.json'), content);
    expect(await memory.recall()).toBeUndefined();
  });
});
