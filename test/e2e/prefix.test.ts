/** PostgreSQL whose tools run behind a prefix: real ssh to the suite's own sshd, and a cleaned environment. */
import { mkdir, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import { createdDatabase, fillDatabase, fingerprintOf } from '../servers/postgres-source.ts';
import { type SftpServer, startSshd } from '../servers/sftp.ts';
import { sshWords } from '../servers/ssh-words.ts';
import { backupsOf, programsBehindPrefix } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';
import { runUnseen } from './unseen.ts';

const password = 'Canary-5d20 \'"$(x)';

describe.each(['ssh', 'env'] as const)('postgres by %s', (way) => {
  let place: Workplace;
  let server: PostgresServer;
  let sshd: SftpServer;
  beforeAll(async () => {
    [server, sshd] = [await startPostgres(), await startSshd()];
    place = await makeWorkplace({ PG_PASSWORD: password });
    await server.sql(`ALTER ROLE postgres PASSWORD '${password.replaceAll("'", "''")}'`);
    for (const name of ["shop's $(x)", 'back', 'plain', 'noise']) await createdDatabase(server, name, '', place.folder);
    await fillDatabase(server, "shop's $(x)", nastySql(), place.folder);
    await fillDatabase(server, 'noise', noise, place.folder);
    await mkdir(place.path('tmp'));
    const words = way === 'ssh' ? [...sshWords(sshd), 'env'] : ['env', '-i', `PATH=${process.env['PATH']}`];
    const prefix = [...words, `TMPDIR=${place.path('tmp')}`];
    const source = (name: string, database: string) => `
  ${name}:
    type: postgres
    prefix: ${JSON.stringify(prefix)}
    host: ${server.host}
    port: ${server.port}
    user: ${server.user}
    password: \${PG_PASSWORD}
    database: ${JSON.stringify(database)}`;
    await place.configure(`
sources:${source('shop', "shop's $(x)")}${source('back', 'back')}${source('plain', 'plain')}${source('noise', 'noise')}
destinations:
  disk: { type: local, path: backups }
  slow: { type: local, path: backups, limit: 200KB/s }
jobs:
  shop: { source: shop, destinations: disk }
  plain: { source: shop, destinations: disk, format: plain }
  slow: { source: noise, destinations: slow, compression: none }
  fast: { source: noise, destinations: disk, compression: none }
`);
  });
  afterAll(async () => {
    await place.remove();
    await Promise.all([server.stop(), sshd.stop()]);
  });

  const unseen = (...args: string[]) => runUnseen(place, 'Canary-5d20', ...args);

  test('goes there and back, and nobody sees the password', async () => {
    for (const [job, target] of Object.entries(way === 'ssh' ? { shop: 'back' } : { shop: 'back', plain: 'plain' })) {
      await unseen('run', job);
      await unseen('restore', `${job}@latest`, '--to', target);
      expect(await fingerprintOf(server, target)).toEqual(await fingerprintOf(server, "shop's $(x)"));
    }
    if (way === 'ssh') return;
    expectCode(await place.run('check', 'shop'), 0);
    expectCode(await place.run('restore', 'shop@latest', '--to', 'back', '--clean', '--yes'), 0);
    expect(await fingerprintOf(server, 'back')).toEqual(await fingerprintOf(server, "shop's $(x)"));
  });

  test('parts, and several workers, from a file there that does not stay', async () => {
    for (const name of ['part', 'steps', 'workers']) await createdDatabase(server, name, '', place.folder);
    const restore = (...args: string[]) => unseen('restore', 'fast@latest', '--to', 'back', ...args);
    expectCode(await place.run('run', 'fast'), 0);
    await restore('--database', 'part', '--table', 'noise');
    expect(await server.sql('SELECT count(*) FROM noise', 'part')).toBe('10000');
    if (way === 'ssh') return;
    const nothing = ['--database', 'steps', '--table', 'nothing'];
    const missing = await place.run('restore', 'fast@latest', '--to', 'back', ...nothing);
    expect(expectCode(missing, 3).stderr).toContain('holds no table nothing');
    await restore('--database', 'steps', '--schema-only');
    expect(await server.sql('SELECT count(*) FROM noise', 'steps')).toBe('0');
    await restore('--database', 'steps', '--data-only');
    await restore('--database', 'workers', '--jobs', '2');
    for (const name of ['steps', 'workers']) {
      expect(await fingerprintOf(server, name)).toEqual(await fingerprintOf(server, 'noise'));
    }
    expect(await readdir(place.path('tmp'))).toEqual([]);
  });

  test('F40 a part of which only half arrives is not restored, and leaves no file there', async () => {
    await createdDatabase(server, 'half', '', place.folder);
    const key = (await backupsOf(place)).find((each) => each.key.startsWith('fast/'))?.key;
    const args = ['restore', `slow:${key}`, '--to', 'back', '--database', 'half', '--table', 'noise'];
    const { child, ended } = place.start(args);
    await vi.waitUntil(async () => (await readdir(place.path('tmp'))).length > 0, { timeout: 30_000, interval: 20 });
    child.kill('SIGKILL');
    await ended;
    await vi.waitUntil(async () => (await readdir(place.path('tmp'))).length === 0, { timeout: 30_000, interval: 50 });
    expect(await server.sql("SELECT count(*) FROM pg_class WHERE relname = 'noise'", 'half')).toBe('0');
  });

  const signal = way === 'ssh' ? 'SIGTERM' : 'SIGKILL';
  test(`F23 ${signal} ends pg_dump there, too`, async () => {
    const before = (await backupsOf(place)).length;
    const { child, ended } = place.start(['run', 'slow']);
    await vi.waitUntil(() => programsBehindPrefix('pg_dump', place).length > 0, { timeout: 30_000, interval: 50 });
    child.kill(signal);
    expect((await ended).code).toBe(signal === 'SIGTERM' ? 143 : null);
    await vi.waitUntil(() => programsBehindPrefix('pg_dump', place).length === 0, { timeout: 30_000, interval: 50 });
    expect((await backupsOf(place)).length).toBe(before);
  });

  test('F01 a client that is missing there is named with the way', async () => {
    await place.configure(`
sources: { s: { type: postgres, prefix: [env, -i, PATH=/nowhere, /bin/sh, -c, 'PATH=/usr/bin:/bin exec "$@"', sh], clientFolder: /nowhere } }
destinations: { disk: { type: local, path: backups } }
jobs: { s: { source: s, destinations: disk } }
`);
    const { stderr } = expectCode(await place.run('run', 's'), 3);
    expect(stderr).toMatch(/pg_dump was not found in \/nowhere by "env -i/);
  });
});

/** 20 MB, more than what lies in all the pipes and buffers on the way. */
const noise = `CREATE TABLE noise AS SELECT i, repeat(md5(i::text), 62) AS value FROM generate_series(1, 10000) i;`;
