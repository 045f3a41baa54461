/** MySQL through the built program, against a private MariaDB: there and back, by every way in, and what must not happen. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sidecar } from '../../src/sidecar/sidecar.ts';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import { countedRows, createdDatabase, fingerprintOf, nastySql, noiseSql } from '../servers/mariadb-source.ts';
import { backupsOf, expectNothingPublished, filesIn, processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const config = `
sources:
  nasty: { type: mysql, url: "\${NASTY_URL}" }
  large: { type: mysql, url: "\${NASTY_URL}", database: large }
  faulty: { type: mysql, url: "\${NASTY_URL}", database: large, clientFolder: ./clients }
destinations:
  disk: { type: local, path: ./backups }
jobs:
  nasty: { source: nasty, destinations: disk }
  large: { source: large, destinations: disk }
  faulty: { source: faulty, destinations: disk }
  data: { source: nasty, destinations: disk, backupType: data }
  schema: { source: nasty, destinations: disk, backupType: schema }
`;

let server: MariadbServer;
let place: Workplace;

beforeAll(async () => {
  server = await startMariadb();
  place = await makeWorkplace({ NASTY_URL: server.url('nasty') });
  await place.configure(config);
  await createdDatabase(server, 'nasty', await nastySql());
  await createdDatabase(server, 'large', noiseSql);
  // A password never belongs on a command line.
  const account = `[client]\nuser=root\npassword=${server.password}\n`;
  await writeFile(place.path('.my.cnf'), account, { mode: 0o600 });
  expectCode(await place.run('run', 'nasty'), 0);
});
afterAll(async () => {
  await server?.stop();
  await place?.remove();
});

const fingerprint = (database: string) => fingerprintOf(server, database);
const urlOf = (database: string) => `mysql://${server.host}:${server.port}/${encodeURIComponent(database)}`;

async function latest(job: string): Promise<{ path: string; sidecar: Sidecar }> {
  const { key } = (await backupsOf(place)).filter((each) => each.key.startsWith(`${job}/`)).at(-1) ?? { key: '' };
  const path = place.path('backups', key);
  return { path, sidecar: JSON.parse(await readFile(`${path}.meta.json`, 'utf8')) as Sidecar };
}

describe('a database with everything', { timeout: 120_000 }, () => {
  test('run and restore: schema, rows, checksums, routines, triggers, events and views are the same', async () => {
    const run = await place.run('restore', 'nasty@latest', '--to', urlOf('target'), '--create');
    expect(expectCode(run, 0).stdout).toContain('target');
    expect(await fingerprint('target')).toEqual(await fingerprint('nasty'));
    expectCode(await place.run('restore', 'nasty@latest', '--to', urlOf('target')), 3);
    expectCode(await place.run('restore', 'nasty@latest', '--to', urlOf('target'), '--clean', '--yes'), 0);
    expect(await fingerprint('target')).toEqual(await fingerprint('nasty'));
    expect(processesOf(place)).toEqual([]);
    expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
  });

  test('restores without any config, moved, with and without its sidecar', async () => {
    const { path } = await latest('nasty');
    const bare = await makeWorkplace();
    try {
      await copyFile(place.path('.my.cnf'), bare.path('.my.cnf'));
      await copyFile(path, bare.path(basename(path)));
      await copyFile(`${path}.meta.json`, bare.path(`${basename(path)}.meta.json`));
      expectCode(await bare.run('restore', basename(path), '--to', urlOf('moved 1'), '--create'), 0);
      await rm(bare.path(`${basename(path)}.meta.json`));
      const run = await bare.run('restore', basename(path), '--to', urlOf('moved 2'), '--create');
      expect(expectCode(run, 0).stderr).toMatch(/no sidecar/);
      for (const target of ['moved 1', 'moved 2']) {
        expect(await fingerprint(target)).toEqual(await fingerprint('nasty'));
      }
    } finally {
      await bare.remove();
    }
  });

  test('the sidecar says what it is, and its own lines bring it back', async () => {
    const { path, sidecar } = await latest('nasty');
    expect(sidecar.source).toMatchObject({
      ...{ type: 'mysql', serverVersion: server.version, databases: ['nasty'] },
      tool: `mariadb-dump ${sidecar.source.toolVersion}`,
    });
    expect(sidecar.contents).toEqual([
      {
        name: 'nasty',
        tables: await countedRows(server, 'nasty'),
        properties: { server: server.version, characterSet: 'utf8mb4', collation: 'utf8mb4_unicode_ci' },
      },
    ]);
    const blank = await startMariadb();
    const folder = place.path('recovery');
    try {
      await mkdir(folder);
      await copyFile(path, join(folder, basename(path)));
      await copyFile(blank.defaultsFile, join(folder, '.my.cnf'));
      const [install, ...lines] = sidecar.recover.filter((line) => !line.startsWith('#'));
      expect(install).toMatch(/^apt-get install .*mariadb-client/);
      const env = { PATH: process.env['PATH'], HOME: folder };
      await promisify(execFile)('sh', ['-ec', lines.join('\n')], { cwd: folder, env });
      expect(await fingerprintOf(blank, 'nasty')).toEqual(await fingerprint('nasty'));
    } finally {
      await blank.stop();
    }
  });

  test('schema and data come back one after the other', async () => {
    expectCode(await place.run('run', 'schema', 'data'), 0);
    expectCode(await place.run('restore', 'schema@latest', '--to', urlOf('two steps'), '--create'), 0);
    expectCode(await place.run('restore', 'data@latest', '--to', urlOf('two steps'), '--data-only'), 0);
    expect(await countedRows(server, 'two steps')).toEqual(await countedRows(server, 'nasty'));
  });

  test('verify and check', async () => {
    expectCode(await place.run('verify', 'nasty@latest'), 0);
    const check = await place.run('check', '--source', 'nasty');
    expect(check.stdout).toMatch(/MariaDB 10\.\d+\.\d+.* answers[\s\S]*mariadb-dump[\s\S]*old_engine \(MyISAM\)/);
    expectCode(check, 8);
    expectCode(await place.run('run', 'nasty', '--dry-run'), 0);
    expectCode(await place.run('restore', 'nasty@latest', '--to', urlOf('dry'), '--create', '--dry-run'), 0);
  });
});

describe('what must not happen', { timeout: 120_000 }, () => {
  test('F38 nobody sees the password: not in ps, output, sidecars, history, or files that stay', async () => {
    const seen = new Set<string>();
    const watch = async (running: Promise<unknown>) => {
      let over = false;
      void running.finally(() => {
        over = true;
      });
      while (!over) {
        for (const line of await commandLines()) seen.add(line);
        await delay(5);
      }
      return running;
    };
    const run = place.run('run', 'large');
    await watch(run);
    const restore = place.run('restore', 'large@latest', '--to', 'large', '--database', 'unseen', '--create');
    await watch(restore);
    const lines = [...seen].join('\n');
    expect(lines).toMatch(/mariadb-dump --defaults-file=/);
    expect(lines).toMatch(/mariadb --defaults-file=/);
    expect(lines).not.toContain(server.password);
    for (const { code, stdout, stderr } of [await run, await restore]) {
      expect(code).toBe(0);
      expect(stdout + stderr).not.toContain(server.password);
    }
    for (const folder of ['backups', 'state']) {
      for (const name of Object.keys(await filesIn(place.path(folder)))) {
        expect((await readFile(place.path(folder, name))).includes(server.password), name).toBe(false);
      }
    }
  });

  test.each([
    ['F05 nothing at all', 'exit 0', 'DUMP_EMPTY'],
    ['F07 half of the data and exit 0', '$REAL "$@" | head -c 9000000; exit 0', 'DUMP_INCOMPLETE'],
    ['F06 half of the data and a kill', '$REAL "$@" | head -c 9000000; kill -9 $$', 'TOOL_FAILED'],
    ['F07 everything with its trailer, and then a failure', '$REAL "$@"; exit 3', 'TOOL_FAILED'],
  ])('%s is never published', async (_, script, errorCode) => {
    await rm(place.path('clients'), { recursive: true, force: true });
    await mkdir(place.path('clients'));
    await symlink('/usr/bin/mariadb', place.path('clients', 'mariadb'));
    const dump = `#!/bin/sh\nREAL=/usr/bin/mariadb-dump\n[ "$1" = --version ] && exec $REAL --version\n${script}\n`;
    await writeFile(place.path('clients', 'mariadb-dump'), dump);
    await chmod(place.path('clients', 'mariadb-dump'), 0o755);
    const before = await filesIn(place.path('backups'));
    await expectNothingPublished(place, before, { run: await place.run('run', 'faulty'), exitCode: 3, errorCode });
  });

  test.each([
    ['--no-owner', /--no-owner: not possible/],
    ['--no-privileges', /--no-privileges: not possible/],
    ['--jobs=2', /--jobs: not possible/],
  ])('%s is refused by name', async (flag, message) => {
    const run = await place.run('restore', 'nasty@latest', '--to', urlOf('refused'), '--create', flag);
    expect(expectCode(run, 2).stderr).toMatch(message);
  });
});

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' '));
}
