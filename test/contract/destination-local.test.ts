import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localType } from '../../src/destination/local/local.ts';
import { temporaryName } from '../../src/destination/temporary-name.ts';
import { describeDestination } from './describe-destination.ts';

let folder = '';

describeDestination('local', {
  async create() {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-local-'));
    return {
      destination: localType.open({ path: 'store' }, folder),
      cleanup: () => rm(folder, { recursive: true }),
    };
  },
  abandonUpload: () => writeFile(join(folder, 'store', temporaryName('half')), 'half a backup'),
});
