/**
 * More than thirty planted problems, at real servers, in one configuration: `check` finds each of them, says the way out,
 * and finds nothing wrong with what is sound beside them.
 */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Destination, StoredObject } from '../../src/destination/destination.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from '../e2e/cli.ts';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { type S3Server, startS3 } from '../servers/s3.ts';
import { makeKey, type SftpServer, startSshd } from '../servers/sftp.ts';
import { makeShop } from '../servers/small-shop.ts';
import { runInProcess } from './faulty-app.ts';

interface Found {
  readonly subject: { readonly kind: string; readonly name: string };
  readonly severity: string;
  readonly what: string;
  readonly wayOut?: string;
}

/** A variable that nobody sets. */
const unset = `${'$'}{PLANTED_NOWHERE}`;

let place: Workplace;
let pg: PostgresServer;
let my: MariadbServer;
let redis: RedisServer;
let s3: S3Server;
let ssh: SftpServer;
let run: Run;
let found: readonly Found[];

beforeAll(async () => {
  place = await makeWorkplace({ PATH: process.env['PATH'] });
  const away = { pg: startPostgres(), my: startMariadb(), redis: startRedis(), s3: startS3(), ssh: startSshd() };
  pg = await away.pg;
  my = await away.my;
  redis = await away.redis;
  s3 = await away.s3;
  ssh = await away.ssh;
  await plant();
  await place.configure(stringify(await config()));
  run = await runInProcess(place, { wrap: anHourAhead }, 'check', '--json');
  found = events<{ findings: Found[] }>(run)[0]?.findings ?? [];
});
afterAll(async () => {
  await Promise.all([pg, my, redis, s3, ssh].map((server) => server?.stop()));
  await place?.remove();
});

async function plant(): Promise<void> {
  await pg.sql('CREATE DATABASE shop');
  await pg.sql(`CREATE TABLE item (id int); CREATE ROLE stranger LOGIN PASSWORD 'canary-stranger';`, 'shop');
  await my.sql(
    `CREATE DATABASE shop; CREATE TABLE shop.old (id int) ENGINE=MyISAM; CREATE VIEW shop.seen AS SELECT 1;
     CREATE USER stranger@'%' IDENTIFIED BY 'canary-stranger'; GRANT SELECT ON shop.* TO stranger@'%';`,
  );
  makeShop(place.path('shop.sqlite'));
  await writeFile(place.path('text.sqlite'), 'this is no database\n'.repeat(100));
  await mkdir(place.path('no-tools'));
  await mkdir(place.path('old-tools'));
  const old = '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n';
  await writeFile(place.path('old-tools', 'pg_dump'), old, { mode: 0o755 });
  await symlink(`${pg.programs}/psql`, place.path('old-tools', 'psql'));
  await writeFile(place.path('a-file'), 'not a folder');
  await mkdir(place.path('open'));
  await chmod(place.path('open'), 0o777);
  await mkdir(place.path('faulty'));
  await writeFile(place.path('nobody-known'), '');
  await makeKey(place.path('mine.sshkey'), 'ed25519');
  for (const [file, type] of [
    ['mine.agekey', 'age'],
    ['open.key', 'aes-256-gcm'],
  ] as const)
    expectCode(await runInProcess(place, {}, 'keygen', file, '--type', type), 0);
  await chmod(place.path('open.key'), 0o644);
}

async function config() {
  const { stdout } = expectCode(await runInProcess(place, {}, 'keygen', 'other.agekey', '--json'), 0);
  const recipient = (JSON.parse(stdout) as { publicPart: string }).publicPart;
  const shop = {
    type: 'postgres',
    host: pg.host,
    port: pg.port,
    user: pg.user,
    password: pg.password,
    database: 'shop',
  };
  const wiki = { type: 'mysql', host: my.host, port: my.port, user: my.user, password: my.password, database: 'shop' };
  const sources = {
    sound: { type: 'sqlite', path: './shop.sqlite' },
    'tool-missing': { ...shop, clientFolder: './no-tools' },
    'tool-too-old': { ...shop, clientFolder: './old-tools' },
    'wrong-password': { ...shop, password: 'canary-wrong' },
    'no-right': { ...shop, user: 'stranger', password: 'canary-stranger' },
    'no-database': { ...shop, database: 'shpo' },
    'server-down': { ...shop, port: 1 },
    'unset-variable': { ...shop, password: unset },
    'mysql-tool-missing': { ...wiki, clientFolder: './no-tools' },
    'mysql-wrong-password': { ...wiki, password: 'canary-wrong' },
    'mysql-no-right': { ...wiki, user: 'stranger', password: 'canary-stranger' },
    'mysql-not-transactional': wiki,
    'redis-wrong-password': { type: 'redis', host: redis.host, port: redis.port, password: 'canary-wrong' },
    'redis-down': { type: 'redis', host: '127.0.0.1', port: 1 },
    'file-missing': { type: 'sqlite', path: './none.sqlite' },
    'no-sqlite': { type: 'sqlite', path: './text.sqlite' },
    'folder-missing': { type: 'files', path: './nowhere' },
    'program-missing': { type: 'command', dump: ['no-such-program-at-all'] },
  };
  const { bucket: _, ...store } = s3.options;
  const server = { ...ssh.options, type: 'sftp' };
  const destinations = {
    good: { type: 'local', path: './good' },
    'a-file': { type: 'local', path: './a-file' },
    'writable-by-others': { type: 'local', path: './open' },
    'not-writable': { type: 'local', path: '/proc/dbbackup' },
    'not-mounted': { type: 'local', path: '/mnt/dbbackup-no-such-disk/backups' },
    'clock-off': { type: 'faulty', path: './faulty' },
    'bucket-missing': { type: 's3', ...store, bucket: 'planted-nowhere', retries: 0 },
    's3-wrong-key': { type: 's3', ...s3.options, secretAccessKey: 'canary-wrong-key', retries: 0 },
    's3-lock-missing': { type: 's3', ...s3.options, objectLock: { mode: 'GOVERNANCE', days: 1 } },
    's3-down': { type: 's3', ...s3.options, endpoint: 'http://127.0.0.1:1', retries: 0 },
    'host-key-unknown': { ...server, knownHosts: './nobody-known' },
    'known-hosts-missing': { ...server, knownHosts: './none' },
    'host-key-changed': { ...server, knownHosts: undefined, hostFingerprint: `SHA256:${'A'.repeat(43)}` },
    'ssh-key-refused': { ...server, privateKeyFile: './mine.sshkey' },
    'remote-missing': { type: 'rclone', remote: 'planted:x', config: './no-tools/rclone.conf' },
  };
  const encryption = {
    'key-missing': { type: 'aes-256-gcm', keyFile: './none.key' },
    'key-readable-by-others': { type: 'aes-256-gcm', keyFile: './open.key' },
    'only-decrypts': { type: 'age', identityFile: './mine.agekey' },
    'one-recipient': { type: 'age', recipients: [recipient] },
    'wrong-recipient': { type: 'age', recipients: [`\${PLANTED_RECIPIENT:-age1planted}`] },
  };
  const notifications = { 'url-unset': { type: 'slack', url: unset } };
  const jobs = {
    sound: { source: 'sound', destinations: ['good'] },
    'in-the-clear': { source: 'sound', destinations: ['good', 's3-down'] },
  };
  return { sources, destinations, encryption, notifications, jobs, signing: { key: unset } };
}

function anHourAhead(inner: Destination): Destination {
  const later = (object: StoredObject) => ({
    ...object,
    modifiedAt: new Date(object.modifiedAt.getTime() + 3_600_000),
  });
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === 'put') return async (...given: Parameters<Destination['put']>) => later(await target.put(...given));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What is to be found wrong with each, and a part of its way out. A subject that is not here is sound. */
const planted: readonly [subject: string, severity: 'fail' | 'warn', what: RegExp, wayOut: RegExp][] = [
  ['source tool-missing', 'fail', /pg_dump was not found/, /apt-get install postgresql-client/],
  ['source tool-too-old', 'fail', /pg_dump 9\.6\.1 is older/, /Install a client/],
  ['source wrong-password', 'fail', /password authentication failed/, /Check user and password/],
  ['source no-right', 'fail', /stranger may not read public\.item/, /GRANT pg_read_all_data TO "stranger"/],
  ['source no-database', 'fail', /"shpo" does not exist/, /name of the database/],
  ['source server-down', 'fail', /refused/, /Check that the server runs/],
  [
    'source unset-variable',
    'fail',
    /unset-variable\.password needs the variable PLANTED_NOWHERE/,
    /Set PLANTED_NOWHERE/,
  ],
  ['source mysql-tool-missing', 'fail', /mariadb-dump .* not found|were found in/, /apt-get install mariadb-client/],
  ['source mysql-wrong-password', 'fail', /Access denied/, /Check user and password/],
  ['source mysql-no-right', 'warn', /may not see all views, triggers, events/, /GRANT SHOW VIEW, TRIGGER, EVENT/],
  ['source mysql-not-transactional', 'warn', /not transactional.*old \(MyISAM\)/, /ENGINE=InnoDB/],
  ['source redis-wrong-password', 'fail', /AUTH failed|WRONGPASS/, /Check user and password/],
  ['source redis-down', 'fail', /refused/, /Check that the server runs/],
  ['source file-missing', 'fail', /none\.sqlite does not exist/, /Check "path"/],
  ['source no-sqlite', 'fail', /is not a SQLite database/, /Check the path/],
  ['source folder-missing', 'fail', /nowhere cannot be read/, /Check "path"/],
  ['source program-missing', 'fail', /no-such-program-at-all was not found/, /Install it/],
  ['destination a-file', 'fail', /a-file is no folder/, /Set `path` to a folder/],
  ['destination writable-by-others', 'warn', /others may write to/, /chmod 700/],
  ['destination not-writable', 'fail', /proc\/dbbackup failed/, /check the path/],
  ['destination not-mounted', 'fail', /nothing is mounted/, /Mount the disk/],
  ['destination clock-off', 'warn', /its clock is 1 h 00 min ahead/, /NTP/],
  ['destination bucket-missing', 'fail', /bucket does not exist/, /Create the bucket/],
  ['destination s3-wrong-key', 'fail', /SignatureDoesNotMatch/, /Check accessKeyId and secretAccessKey/],
  ['destination s3-lock-missing', 'fail', /the bucket has no Object Lock/, /Switch it on/],
  ['destination s3-down', 'fail', /ECONNREFUSED/, /Check `endpoint`/],
  ['destination host-key-unknown', 'fail', /the host key of .* is not in .*nobody-known/, /ssh-keyscan/],
  ['destination host-key-changed', 'fail', /is not the pinned/, /someone stands between/],
  ['destination known-hosts-missing', 'fail', /known_hosts file .* cannot be read/, /Correct `knownHosts`/],
  ['destination ssh-key-refused', 'fail', /refused|authentication|accept/i, /authorized_keys|key/],
  ['destination remote-missing', 'fail', /didn't find section in config file/, /rclone config/],
  ['encryption key-missing', 'fail', /none\.key cannot be read/, /Check the path/],
  ['encryption key-readable-by-others', 'fail', /can be read by everyone/, /chmod 600/],
  ['encryption only-decrypts', 'fail', /can only restore/, /Add recipients/],
  ['encryption one-recipient', 'warn', /only one recipient/, /Add a second recipient/],
  ['encryption wrong-recipient', 'fail', /is no age recipient/, /copy it again/],
  ['encryption signing', 'fail', /signing\.key needs the variable/, /Set PLANTED_NOWHERE/],
  ['notification url-unset', 'fail', /url needs the variable/, /Set PLANTED_NOWHERE/],
  ['job in-the-clear', 'warn', /stores unencrypted at s3-down/, /Add `encryption`/],
];

const nameOf = ({ subject }: Found) => `${subject.kind} ${subject.name}`;
const isTrouble = ({ severity }: Found) => severity === 'fail' || severity === 'warn';

describe('check', () => {
  test.each(planted)('finds what is wrong with %s', (subject, severity, what, wayOut) => {
    const mine = found.filter((each) => nameOf(each) === subject && isTrouble(each));
    expect(mine).toContainEqual(
      expect.objectContaining({ severity, what: expect.stringMatching(what), wayOut: expect.stringMatching(wayOut) }),
    );
  });

  test('finds nothing wrong with what is sound, and one trouble for one cause', () => {
    const wrong = found.filter(isTrouble);
    expect(wrong.filter((each) => !planted.some(([subject]) => subject === nameOf(each)))).toEqual([]);
    const several = new Map<string, number>();
    for (const each of wrong) several.set(nameOf(each), (several.get(nameOf(each)) ?? 0) + 1);
    // The user without rights lacks three; a bucket without Object Lock has no lifecycle rules, either.
    const multiple = [...several].filter(([, count]) => count > 1).map(([name]) => name);
    expect(multiple).toEqual(['source mysql-no-right', 'destination s3-lock-missing']);
  });

  test('every trouble has a way out of its own, and no secret is told', () => {
    for (const { what, wayOut } of found.filter(isTrouble)) {
      expect(wayOut, what).toMatch(/\w{3}/);
      expect(wayOut, what).not.toMatch(/^The message names the cause/);
    }
    expect(run.stdout + run.stderr).not.toMatch(/canary/);
    expect(run.code).toBe(7);
  });

  test.each([
    ['a schedule that never fires', 'schedule: { cron: "0 0 30 2 *" }', /schedule.*never fires: no month has that day/],
    ['a timezone that does not exist', 'schedule: { cron: "0 3 * * *", timezone: Europe/Zuerich }', /timezone/],
    ['a misspelt key', 'retentoin: { last: 3 }', /did you mean "retention"/],
    ['a destination that is not defined', 'notify: nobody', /no notification has this name/],
  ])('%s is refused with its line, before anything is asked', async (_, line, message) => {
    const other =
      'sources: { shop: { type: sqlite, path: ./shop.sqlite } }\ndestinations: { disk: { type: local, path: ./good } }\n';
    await writeFile(place.path('bad.yaml'), `${other}jobs: { shop: { source: shop, destinations: disk, ${line} } }\n`);
    const bad = expectCode(await runInProcess(place, {}, 'check', '-c', 'bad.yaml'), 2);
    expect(bad.stderr).toMatch(message);
    expect(bad.stderr).toMatch(/bad\.yaml:3 jobs\.shop/);
    expect(bad.stderr).toMatch(/config\.example\.yaml explains every option/);
  });
});
