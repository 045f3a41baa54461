import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresType } from '../../src/source/postgres/postgres.ts';
import { startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import { countedRows, createdDatabase, fillDatabase, fingerprintOf } from '../servers/postgres-source.ts';
import { describeSource } from './describe-source.ts';

const password = 'Canary-9f31';

describeSource('postgres', {
  type: postgresType,
  secret: password,
  async open() {
    const server = await startPostgres();
    const folder = await mkdtemp(join(tmpdir(), 'dbb-pg-contract-'));
    await server.sql(`ALTER ROLE postgres PASSWORD '${password}'`);
    let made = 0;
    return {
      async makeDatabase() {
        made += 1;
        const database = `database ${made}`;
        await createdDatabase(server, database, '', folder);
        const { host, port, user } = server;
        return {
          options: { host, port, user, password, database },
          baseFolder: folder,
          async fill() {
            await fillDatabase(server, database, nastySql(), folder);
            return await countedRows(server, database);
          },
          fillLarge: () => fillDatabase(server, database, noise, folder),
          fingerprint: () => fingerprintOf(server, database),
        };
      },
      async close() {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

/** 20 MB that look random. */
const noise = `CREATE TABLE noise AS SELECT i, (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 62) j) AS value
  FROM generate_series(1, 10000) i;`;
