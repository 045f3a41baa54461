import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rcloneType } from '../../src/destination/rclone/rclone.ts';
import { temporaryName } from '../../src/destination/temporary-name.ts';
import { rcloneOptionsFor, type SftpServer, startSshd } from '../servers/sftp.ts';
import { describeDestination } from './describe-destination.ts';

let server: SftpServer;

describeDestination('rclone (sftp remote)', {
  async create() {
    server = await startSshd();
    // Two rclones that make one folder over SFTP at the same moment may both fail, which a job repeats.
    for (const folder of ['race', 'many', 'round-trip', 'odd', 'list/a']) {
      await mkdir(join(server.root, 'store', folder), { recursive: true });
    }
    const destination = rcloneType.open(rcloneOptionsFor(server), '/');
    return { destination, cleanup: () => server.stop() };
  },
  manyObjects: 8,
  slow: true,
  readAhead: 48 * 2 ** 20,
  abandonUpload: () => writeFile(join(server.root, 'store', temporaryName('half')), 'half a backup'),
  stall: async () => {
    const release = server.proxy.stallAfter(2 ** 20);
    return async () => release();
  },
});
