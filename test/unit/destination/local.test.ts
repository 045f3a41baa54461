import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { destinationTypes } from '../../../src/destination/all.ts';
import { localType, rootOf } from '../../../src/destination/local/local.ts';
import { LocalDestination } from '../../../src/destination/local/local-destination.ts';
import { placeOf, syncRemainingFolders } from '../../../src/destination/local/place.ts';

describe('localType', () => {
  it('is listed', () => {
    expect(destinationTypes.map(({ type }) => type)).toContain('local');
  });

  it.each([
    ['./backups', '/etc/dbbackup/backups'],
    ['../backups/', '/etc/backups'],
    ['/srv/backups', '/srv/backups'],
    ['~', homedir()],
    ['~/backups', join(homedir(), 'backups')],
    ['~other/backups', '/etc/dbbackup/~other/backups'],
  ])('takes %s for %s', (path, root) => {
    expect(rootOf({ path }, '/etc/dbbackup')).toBe(root);
  });

  it('shows the path as it was written', () => {
    const destination = localType.open({ path: './backups' }, '/etc/dbbackup');
    expect(destination).toBeInstanceOf(LocalDestination);
    expect(destination.label).toBe('./backups');
  });

  it.each([{}, { path: '' }, { path: 7 }, { path: 'x', bucket: 'y' }])('F32 refuses %j', (options) => {
    expect(localType.options.safeParse(options).success).toBe(false);
  });

  it('syncs what is left above a folder that a deletion beside ours has removed, empty as it was', async () => {
    const root = await mkdtemp(join(tmpdir(), 'dbbackup-local-'));
    try {
      await expect(syncRemainingFolders(placeOf(root, 'gone/as-well/object'))).resolves.toBeUndefined();
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
