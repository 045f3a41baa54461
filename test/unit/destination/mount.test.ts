import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { localType } from '../../../src/destination/local/local.ts';
import { isUnmounted } from '../../../src/destination/local/mount.ts';

const folder = '/mnt/dbbackup-no-disk/backups';
const unmounted = await isUnmounted(folder);

describe('a folder where disks are mounted', () => {
  it('is no matter elsewhere', async () => {
    expect(await isUnmounted('/srv/backups')).toBe(false);
    expect(await isUnmounted('/home/mnt/backups')).toBe(false);
  });

  it.runIf(unmounted)('is not made while no disk is there', async () => {
    const destination = localType.open({ path: folder }, '/');
    const put = destination.put('job/file', Readable.from(['x']), { signal: new AbortController().signal });
    await expect(put).rejects.toMatchObject({
      code: 'DESTINATION_FAILED',
      message: expect.stringContaining('no disk is mounted above it'),
      hint: expect.stringContaining('mkdir -p'),
    });
    expect(existsSync('/mnt/dbbackup-no-disk')).toBe(false);
  });
});
