import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sftpType } from '../../src/destination/sftp/sftp.ts';
import { temporaryName } from '../../src/destination/temporary-name.ts';
import { type SftpServer, startRcloneSftp, startSshd } from '../servers/sftp.ts';
import { describeDestination } from './describe-destination.ts';

// rclone's server takes a quarter of a second for each object.
for (const [name, start, slow] of [
  ['sftp (OpenSSH)', startSshd, false],
  ['sftp (rclone serve)', startRcloneSftp, true],
] as const) {
  let server: SftpServer;

  describeDestination(name, {
    async create() {
      server = await start();
      return { destination: sftpType.open(server.options, '/'), cleanup: () => server.stop() };
    },
    sizes: [128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 40 * 2 ** 20],
    manyObjects: slow ? 40 : 250,
    slow,
    readAhead: 32 * 2 ** 20,
    abandonUpload: () => writeFile(join(server.root, 'store', temporaryName('half')), 'half a backup'),
    stall: async () => {
      const release = server.proxy.stallAfter(2 ** 20);
      return async () => release();
    },
  });
}
