import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { sqliteType } from '../../src/source/sqlite/sqlite.ts';
import { fillNasty, fillNoise, fingerprintOf, nastyRows } from '../servers/sqlite-nasty.ts';
import { describeSource } from './describe-source.ts';

/** The second is the same file by the program alone, as behind docker exec, ssh or sudo. */
const ways = [
  { name: 'sqlite', preparedFormats: ['sqlite'] },
  { name: 'sqlite behind a prefix', prefix: ['env', '-i', `PATH=${process.env['PATH']}`] },
];

for (const { name: suite, preparedFormats, prefix } of ways) {
  describeSource(suite, {
    type: sqliteType,
    preparedFormats,
    async open() {
      const folder = await mkdtemp(join(tmpdir(), 'dbbackup-sqlite-'));
      let made = 0;
      return {
        async makeDatabase() {
          made += 1;
          const path = join(folder, `database ${made}.sqlite`);
          return {
            options: { path: prefix === undefined ? basename(path) : path, prefix },
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
}
