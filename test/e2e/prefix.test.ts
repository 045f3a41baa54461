/** PostgreSQL whose tools run behind a prefix: real ssh to the suite's own sshd, and a cleaned environment. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import { createdDatabase, fillDatabase, fingerprintOf } from '../servers/postgres-source.ts';
import { type SftpServer, startSshd } from '../servers/sftp.ts';
import { sshWords } from '../servers/ssh-words.ts';
import { backupsOf, programsBehindPrefix } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

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
    const prefix = way === 'ssh' ? sshWords(sshd) : ['env', '-i', `PATH=${process.env['PATH']}`];
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
`);
  });
  afterAll(async () => {
    await place.remove();
    await Promise.all([server.stop(), sshd.stop()]);
  });

  /** Command lines of pg_dump and psql of this server, whichever side they are on, and of what leads there. */
  function lines(text: string): readonly string[] {
    const all = execFileSync('ps', ['-eww', '-o', 'stat=,args='], { encoding: 'utf8' }).split('\n');
    return all.filter((line) => line.includes(text) && !line.startsWith('Z'));
  }

  test('goes there and back, and nobody sees the password', async () => {
    for (const [job, target] of [
      ['shop', 'back'],
      ['plain', 'plain'],
    ] as const) {
      for (const args of [
        ['run', job],
        ['restore', `${job}@latest`, '--to', target],
      ]) {
        const { ended } = place.start(args);
        for (let over = false; !over; ) {
          expect(lines('Canary')).toEqual([]);
          over = await Promise.race([
            ended.then(() => true),
            new Promise<boolean>((done) => setTimeout(done, 20, false)),
          ]);
        }
        expectCode(await ended, 0);
      }
      expect(await fingerprintOf(server, target)).toEqual(await fingerprintOf(server, "shop's $(x)"));
    }
    expectCode(await place.run('check', 'shop'), 0);
    expectCode(await place.run('restore', 'shop@latest', '--to', 'back', '--clean', '--yes'), 0);
    expect(await fingerprintOf(server, 'back')).toEqual(await fingerprintOf(server, "shop's $(x)"));
    const refused = expectCode(await place.run('restore', 'shop@latest', '--to', 'back', '--clean', '--jobs', '2'), 2);
    expect(refused.stderr).toContain('--jobs: not through a prefix');
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('F23 %s ends pg_dump there, too', async (signal) => {
    const before = (await backupsOf(place)).length;
    const { child, ended } = place.start(['run', 'slow']);
    await vi.waitUntil(() => programsBehindPrefix('pg_dump').length > 0, { timeout: 30_000, interval: 50 });
    child.kill(signal);
    expect((await ended).code).toBe(signal === 'SIGTERM' ? 143 : null);
    await vi.waitUntil(() => programsBehindPrefix('pg_dump').length === 0, { timeout: 10_000, interval: 50 });
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
