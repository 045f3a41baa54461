import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStateFolder, standInFolder, stateFolder } from '../../src/state-folder.ts';

describe('stateFolder', () => {
  it.each([
    [{ env: { DBBACKUP_STATE_DIR: '/a', HOME: '/h' }, configured: '/b', uid: 0 }, '/a'],
    [{ env: { DBBACKUP_STATE_DIR: '', HOME: '/h' }, configured: '/b', uid: 0 }, '/b'],
    [{ env: { HOME: '/root' }, uid: 0 }, '/var/lib/dbbackup'],
    [{ env: { XDG_STATE_HOME: '/x', HOME: '/h' }, uid: 7 }, '/x/dbbackup'],
    [{ env: { XDG_STATE_HOME: 'relative', HOME: '/h' }, uid: 7 }, '/h/.local/state/dbbackup'],
    [{ env: { HOME: '/h' }, uid: 7 }, '/h/.local/state/dbbackup'],
  ])('of %j is %s', (choice, expected) => {
    expect(stateFolder(choice)).toBe(expected);
  });
});

describe('openStateFolder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dbbackup-state-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes it for its owner alone', async () => {
    const made = await openStateFolder(path.join(folder, 'a', 'b'));
    expect((await stat(made)).mode & 0o777).toBe(0o700);
    await openStateFolder(made);
  });

  it('says what to do when it cannot', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    await expect(openStateFolder(path.join(file, 'state'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('DBBACKUP_STATE_DIR'),
    });
  });
});

describe('standInFolder', () => {
  it('is private, and only where nobody chose the folder that cannot be used', async () => {
    const HOME = '/proc/nowhere';
    const made = await standInFolder({ env: { HOME }, uid: 7 });
    expect((await stat(made ?? '')).mode & 0o777).toBe(0o700);
    await rm(made ?? '', { recursive: true });
    expect(await standInFolder({ env: { HOME, DBBACKUP_STATE_DIR: '/proc/nowhere' }, uid: 7 })).toBeUndefined();
    expect(await standInFolder({ env: { HOME }, configured: '/proc/nowhere', uid: 7 })).toBeUndefined();
  });
});
