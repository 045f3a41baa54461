import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mysqlType } from '../../src/source/mysql/mysql.ts';
import { startMariadb } from '../servers/mariadb.ts';
import {
  countedRows,
  createdDatabase,
  fillDatabase,
  fingerprintOf,
  nastySql,
  noiseSql,
} from '../servers/mariadb-source.ts';
import { describeSource } from './describe-source.ts';

/** Everything that an option file could misread. */
const password = 'Canary "9f31" #;\\n=[x] \'é';

describeSource('mysql', {
  type: mysqlType,
  secret: password,
  async open() {
    const server = await startMariadb();
    const folder = await mkdtemp(join(tmpdir(), 'dbb-my-contract-'));
    const hex = Buffer.from(password).toString('hex');
    await server.sql(`SET NAMES utf8mb4; SET @p = CONVERT(X'${hex}' USING utf8mb4);
      EXECUTE IMMEDIATE CONCAT('CREATE USER canary IDENTIFIED BY ', QUOTE(@p)); GRANT ALL ON *.* TO canary WITH GRANT OPTION;`);
    const nasty = await nastySql();
    let made = 0;
    return {
      async makeDatabase() {
        made += 1;
        const database = `database ${made}`;
        await createdDatabase(server, database);
        const { host, port } = server;
        return {
          options: { host, port, user: 'canary', password, database },
          baseFolder: folder,
          async fill() {
            await fillDatabase(server, database, nasty);
            return await countedRows(server, database);
          },
          fillLarge: () => fillDatabase(server, database, noiseSql),
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
