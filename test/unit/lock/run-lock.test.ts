import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireRunLock, probeRunLock } from '../../../src/lock/run-lock.ts';
import { registerSecret } from '../../../src/redact.ts';
import { lockFolder } from '../../../src/state-folder.ts';

let state: string;
beforeEach(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'dbbackup-lock-'));
});
afterEach(() => rm(state, { recursive: true, force: true }));

function request(name: string, command = 'dbbackup run') {
  const holder = { executionId: '4f9c01ab-1', host: 'db1', pid: 7, command };
  return { stateFolder: state, name, holder, wait: false, signal: new AbortController().signal };
}

describe('acquireRunLock', () => {
  it('writes private files under names that are no paths, and removes them at release', async () => {
    registerSecret('canary-password');
    const lock = await acquireRunLock(request('../shop', 'run --x canary-password'));
    const files = await readdir(lockFolder(state));
    expect(files.sort()).toEqual(['..%2Fshop.lock', '..%2Fshop.lock.json']);
    for (const file of files) expect((await stat(path.join(lockFolder(state), file))).mode & 0o777).toBe(0o600);
    expect((await stat(lockFolder(state))).mode & 0o777).toBe(0o700);
    expect(await readFile(path.join(lockFolder(state), '..%2Fshop.lock.json'), 'utf8')).not.toContain('canary');
    await lock.release();
    await lock.release();
    expect(await readdir(lockFolder(state))).toEqual([]);
  });

  it('says "another run" when the holder cannot be read', async () => {
    const lock = await acquireRunLock(request('shop'));
    await writeFile(path.join(lockFolder(state), 'shop.lock.json'), 'garbage');
    await expect(acquireRunLock(request('shop'))).rejects.toThrow('job shop is locked by another run');
    await lock.release();
  });

  it('ends a wait with the reason of the abort and leaves the lock to its holder', async () => {
    const lock = await acquireRunLock(request('shop'));
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const waiting = acquireRunLock({
      ...request('shop'),
      wait: true,
      signal: controller.signal,
      onWait: () => controller.abort(reason),
    });
    await expect(waiting).rejects.toBe(reason);
    expect(await probeRunLock(state, 'shop')).toBe(true);
    await lock.release();
  });

  it('names a lock file that is no lock file', async () => {
    const lock = await acquireRunLock(request('shop'));
    await lock.release();
    await writeFile(path.join(lockFolder(state), 'shop.lock'), 'garbage '.repeat(200));
    await expect(acquireRunLock(request('shop'))).rejects.toThrow('shop.lock cannot be used');
  });
});

describe('probeRunLock', () => {
  it('makes no file and does not mistake another probe for a holder', async () => {
    expect(await probeRunLock(state, 'shop')).toBe(false);
    expect(await readdir(state)).toEqual([]);
    const lock = await acquireRunLock(request('shop'));
    expect(await probeRunLock(state, 'shop')).toBe(true);
    await lock.release();
    await writeFile(path.join(lockFolder(state), 'left-behind.lock'), '');
    const answers = await Promise.all(Array.from({ length: 20 }, () => probeRunLock(state, 'left-behind')));
    expect(answers).toEqual(answers.map(() => false));
  });
});
