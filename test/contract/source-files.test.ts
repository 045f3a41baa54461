import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesType } from '../../src/source/files/files.ts';
import { fingerprintOfTree, makeLargeTree, makeNastyTree } from '../servers/nasty-tree.ts';
import { describeSource } from './describe-source.ts';

describeSource('files', {
  type: filesType,
  inProcess: true,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'dbbackup-files-'));
    let made = 0;
    return {
      async makeDatabase() {
        made += 1;
        const name = `folder ${made}`;
        const path = join(folder, name);
        return {
          options: { path: name },
          baseFolder: folder,
          fill: async () => makeNastyTree(path),
          fillLarge: async () => makeLargeTree(path),
          fingerprint: async () => fingerprintOfTree(path),
        };
      },
      close: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
