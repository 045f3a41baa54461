/** Several MariaDB databases as one backup: the bundle is the operation's, the engine only lists and dumps. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sidecar } from '../../src/sidecar/sidecar.ts';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import { countedRows, createdDatabase, fingerprintOf, nastySql, noiseSql } from '../servers/mariadb-source.ts';
import { backupsOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

// mariadb-dump itself fails on routines and events of a database whose name holds a quote.
const [nasty, words, noise] = ['nasty = 表', `два слова --help it's "so"`, 'noise'] as const;
const all = [nasty, words, noise];

let servers: readonly [MariadbServer, MariadbServer];
let place: Workplace;

beforeAll(async () => {
  servers = [await startMariadb(), await startMariadb()];
  const source = ({ port, user, password }: MariadbServer) => {
    return { type: 'mysql', host: '127.0.0.1', port, user, password };
  };
  place = await makeWorkplace();
  await place.configure(
    JSON.stringify({
      sources: { from: source(servers[0]), to: source(servers[1]) },
      destinations: { disk: { type: 'local', path: './backups' } },
      jobs: { all: { source: 'from', destinations: 'disk', databases: 'all' } },
    }),
  );
  await createdDatabase(servers[0], nasty, await nastySql());
  await createdDatabase(servers[0], words, 'CREATE TABLE слова AS SELECT 1 AS один;');
  await createdDatabase(servers[0], noise, noiseSql);
  expectCode(await place.run('run', 'all'), 0);
}, 60_000);
afterAll(async () => {
  for (const each of servers ?? []) await each.stop();
  await place?.remove();
});

async function latest(): Promise<{ path: string; sidecar: Sidecar }> {
  const path = place.path('backups', (await backupsOf(place))[0]?.key ?? '');
  return { path, sidecar: JSON.parse(await readFile(`${path}.meta.json`, 'utf8')) as Sidecar };
}

test('all of them, and one under another name', { timeout: 60_000 }, async () => {
  const { sidecar } = await latest();
  expect(sidecar.bundle?.members.map(({ name, format }) => [name, format]).sort()).toEqual(
    all.map((name) => [name, 'sql']).sort(),
  );
  for (const { name, tables } of sidecar.contents) expect(tables).toEqual(await countedRows(servers[0], name));
  expectCode(await place.run('verify', 'all@latest'), 0);
  expectCode(await place.run('restore', 'all@latest', '--to', 'to', '--create'), 0);
  for (const name of all) expect(await fingerprintOf(servers[1], name)).toEqual(await fingerprintOf(servers[0], name));
  const one = ['--database', words, '--map', `${words}=copy`, '--create'];
  expectCode(await place.run('restore', 'all@latest', '--to', 'to', ...one), 0);
  expect(await countedRows(servers[1], 'copy')).toEqual({ слова: 1 });
});

test('its own lines bring it back on a blank machine: tar and mariadb', { timeout: 60_000 }, async () => {
  const { path, sidecar } = await latest();
  for (const name of [...all, 'copy']) await servers[1].sql(`DROP DATABASE IF EXISTS \`${name}\`;`);
  const folder = place.path('recovery');
  await mkdir(folder);
  await copyFile(path, join(folder, basename(path)));
  await copyFile(servers[1].defaultsFile, join(folder, '.my.cnf'));
  const lines = sidecar.recover.filter((line) => !line.startsWith('apt-get'));
  const env = { PATH: process.env['PATH'], HOME: folder };
  await promisify(execFile)('sh', ['-ec', lines.join('\n')], { cwd: folder, env });
  for (const name of all) expect(await countedRows(servers[1], name)).toEqual(await countedRows(servers[0], name));
});
