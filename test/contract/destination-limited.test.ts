import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bandwidth } from '../../src/destination/bandwidth.ts';
import { LimitedDestination } from '../../src/destination/limited-destination.ts';
import { localType } from '../../src/destination/local/local.ts';
import { describeDestination } from './describe-destination.ts';

describeDestination('local with a limit', {
  async create() {
    const folder = await mkdtemp(join(tmpdir(), 'dbbackup-limited-'));
    const line = new Bandwidth(50_000_000);
    const destination = new LimitedDestination(localType.open({ path: 'store' }, folder), {
      upload: line,
      download: line,
    });
    return { destination, cleanup: () => rm(folder, { recursive: true }) };
  },
  manyObjects: 200,
});
