/** MariaDB whose programs run behind a prefix: real ssh to the suite's own sshd, and a cleaned environment. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import { createdDatabase, fingerprintOf, nastySql, noiseSql } from '../servers/mariadb-source.ts';
import { type SftpServer, startSshd } from '../servers/sftp.ts';
import { sshWords } from '../servers/ssh-words.ts';
import { backupsOf, programsBehindPrefix } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';
import { commandLinesWith, runUnseen } from './unseen.ts';

/** Everything that an option file or a shell could misread. */
const password = 'Canary "5d20" #;\\n=[x] \'$(x)`é';
const origin = 'shop ; é $(x)';

let place: Workplace;
let server: MariadbServer;
let sshd: SftpServer;
beforeAll(async () => {
  [server, sshd] = await Promise.all([startMariadb(), startSshd()]);
  place = await makeWorkplace({ DB_PASSWORD: password });
  const hex = Buffer.from(password).toString('hex');
  await server.sql(`SET NAMES utf8mb4; SET @p = CONVERT(X'${hex}' USING utf8mb4);
    EXECUTE IMMEDIATE CONCAT('CREATE USER canary IDENTIFIED BY ', QUOTE(@p)); GRANT ALL ON *.* TO canary WITH GRANT OPTION;`);
  await createdDatabase(server, origin, await nastySql());
  await createdDatabase(server, 'noise', noiseSql);
  await createdDatabase(server, 'tiny', 'CREATE TABLE t (i int); INSERT INTO t VALUES (1);');
  // What the user has there may not go before the config.
  await writeFile(place.path('.my.cnf'), '[client]\nuser=nobody\npassword=wrong\n', { mode: 0o600 });
  const ways = {
    ssh: [...sshWords(sshd), 'env', `HOME=${place.folder}`],
    env: ['env', '-i', `PATH=${process.env['PATH']}`, `HOME=${place.folder}`],
  };
  const source = (name: string, way: keyof typeof ways, database: string, more = '') => `
  ${name}: { type: mysql, prefix: ${JSON.stringify(ways[way])}, host: ${server.host}, port: ${server.port}, user: canary,
    password: "\${DB_PASSWORD}", database: ${JSON.stringify(database)} ${more} }`;
  const sources = (['ssh', 'env'] as const).map((way) =>
    [source(`shop-${way}`, way, origin), source(`noise-${way}`, way, 'noise')].join(''),
  );
  await place.configure(`
sources:${sources.join('')}${source('missing', 'env', origin, ', clientFolder: /nowhere')}
destinations:
  disk: { type: local, path: backups }
  slow: { type: local, path: backups, limit: 200KB/s }
jobs:
  shop-ssh: { source: shop-ssh, destinations: disk }
  shop-env: { source: shop-env, destinations: disk }
  both: { source: shop-env, destinations: disk, databases: [tiny, ${JSON.stringify(origin)}] }
  slow-ssh: { source: noise-ssh, destinations: slow, compression: none }
  noise: { source: noise-env, destinations: disk, compression: none }
  slow-env: { source: noise-env, destinations: slow, compression: none }
  missing: { source: missing, destinations: disk }
`);
});
afterAll(async () => {
  await place.remove();
  await Promise.all([server.stop(), sshd.stop()]);
});

const unseen = (...args: string[]) => runUnseen(place, 'Canary "5d20', ...args);

describe.each(['ssh', 'env'] as const)('mysql by %s', (way) => {
  test('goes there and back, and nobody sees the password', async () => {
    const [latest, source, back] = [`shop-${way}@latest`, `shop-${way}`, `back ${way}`];
    await unseen('run', `shop-${way}`);
    await unseen('restore', latest, '--to', source, '--database', back, '--create');
    expect(await fingerprintOf(server, back)).toEqual(await fingerprintOf(server, origin));
    if (way === 'ssh') return;
    await server.sql('DROP TABLE types;', back);
    expectCode(await place.run('restore', latest, '--to', source, '--database', back), 3);
    expectCode(await place.run('restore', latest, '--to', source, '--database', back, '--clean', '--yes'), 0);
    expect(await fingerprintOf(server, back)).toEqual(await fingerprintOf(server, origin));
  });

  const signal = way === 'ssh' ? 'SIGTERM' : 'SIGKILL';
  test(`F23 ${signal} ends mariadb-dump there, too`, async () => {
    const before = (await backupsOf(place)).length;
    const { child, ended } = place.start(['run', `slow-${way}`]);
    await vi.waitUntil(() => programsBehindPrefix('mariadb-dump', place).length > 0, { timeout: 30_000, interval: 50 });
    child.kill(signal);
    expect((await ended).code).toBe(signal === 'SIGTERM' ? 143 : null);
    await vi.waitUntil(() => programsBehindPrefix('mariadb-dump', place).length === 0, {
      timeout: 30_000,
      interval: 50,
    });
    expect((await backupsOf(place)).length).toBe(before);
  });
});

test('a bundle, and one database of it', async () => {
  await unseen('run', 'both');
  const one = ['--database', 'tiny', '--map', 'tiny=t2', '--create'];
  expectCode(await place.run('restore', 'both@latest', '--to', 'shop-env', ...one), 0);
  expect(await fingerprintOf(server, 't2')).toEqual(await fingerprintOf(server, 'tiny'));
});

test('F40 a restore that is stopped ends the client there, and leaves the target empty', async () => {
  await createdDatabase(server, 'stopped');
  expectCode(await place.run('run', 'noise'), 0);
  const key = (await backupsOf(place)).find(({ key: name }) => name.startsWith('noise/'))?.key;
  const { child, ended } = place.start(['restore', `slow:${key}`, '--to', 'noise-ssh', '--database', 'stopped']);
  const loading = async () =>
    (await commandLinesWith('--database=stopped')).some((line) => line.includes('mariadb --def'));
  await vi.waitUntil(loading, { timeout: 30_000, interval: 20 });
  child.kill('SIGTERM');
  expect((await ended).code).toBe(143);
  expect(await commandLinesWith('--database=stopped')).toEqual([]);
  expect(await server.sql('SHOW TABLES;', 'stopped')).toBe('');
});

test('F01 programs that are missing there are named with the way', async () => {
  const { stderr } = expectCode(await place.run('run', 'missing'), 3);
  expect(stderr).toMatch(/mysqldump and mysql were found in \/nowhere by "env -i/);
});

test('check', async () => {
  const { stdout } = expectCode(await place.run('check', '--source', 'shop-env'), 8);
  expect(stdout).toMatch(/MariaDB 10\.\d+\.\d+.* answers at mysql:.* by env -i/);
});
