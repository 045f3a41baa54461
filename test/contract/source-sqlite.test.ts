import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteType } from '../../src/source/sqlite/sqlite.ts';
import { fillNasty, fillNoise, fingerprintOf, nastyRows } from '../servers/sqlite-nasty.ts';
import { describeSource } from './describe-source.ts';

describeSource('sqlite', {
  type: sqliteType,
  preparedFormats: ['sqlite'],
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'dbbackup-sqlite-'));
    let made = 0;
    return {
      async makeDatabase() {
        made += 1;
        const name = `database ${made}.sqlite`;
        const path = join(folder, name);
        return {
          options: { path: name },
          baseFolder: folder,
          async fill() {
            fillNasty(path);
            return nastyRows;
          },
          fillLarge: async () => fillNoise(path, 16),
          fingerprint: async () => fingerprintOf(path),
        };
      },
      close: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
