import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rcloneType } from '../../src/destination/rclone/rclone.ts';
import { temporaryName } from '../../src/destination/temporary-name.ts';
import { describeDestination } from './describe-destination.ts';

let folder = '';

describeDestination('rclone (local remote)', {
  async create() {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-rclone-'));
    await writeFile(join(folder, 'rclone.conf'), '[disk]\ntype = local\n');
    return {
      destination: rcloneType.open({ remote: `disk:${folder}/store`, config: 'rclone.conf' }, folder),
      cleanup: () => rm(folder, { recursive: true }),
    };
  },
  manyObjects: 16,
  abandonUpload: () => writeFile(join(folder, 'store', temporaryName('half')), 'half a backup'),
});
