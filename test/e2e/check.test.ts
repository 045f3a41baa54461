/** `check` through the built program: planted problems, each found and explained, and nothing left behind. */
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { filesIn } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

interface Found {
  readonly subject: { readonly kind: string; readonly name: string };
  readonly severity: string;
  readonly what: string;
  readonly wayOut?: string;
}

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
  fillNasty(place.path('shop.sqlite'));
});
afterEach(() => place.remove());

const base = `sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups }, second: { type: local, path: ./second } }
`;
const job = 'jobs: { shop: { source: shop, destinations: [disk, second] } }\n';

/** What was found wrong, and that every such finding names a way out. */
function troubles(run: Run): readonly Found[] {
  const found = events<{ findings: Found[] }>(run)[0]?.findings ?? [];
  const wrong = found.filter(({ severity }) => severity === 'warn' || severity === 'fail');
  for (const each of wrong) expect(each.wayOut).toMatch(/\w+/);
  return wrong;
}

async function check(config: string, code: number, ...args: string[]): Promise<readonly Found[]> {
  await place.configure(config);
  return troubles(expectCode(await place.run('check', '--json', ...args), code));
}

describe('check', () => {
  test('finds nothing wrong where nothing is, and leaves nothing behind', async () => {
    expect(await check(base + job, 0)).toEqual([]);
    expect({ ...(await filesIn(place.path('backups'))), ...(await filesIn(place.path('second'))) }).toEqual({});
    const { stdout } = expectCode(await place.run('check', 'shop'), 0);
    for (const subject of ['machine', 'source shop', 'destination disk', 'destination second', 'job shop']) {
      expect(stdout).toContain(subject);
    }
    expect(stdout).toMatch(/ok {4}stores and gives back 64 KiB/);
    expect(stdout).toMatch(/ok {4}nothing that exists is overwritten/);
    expect(stdout).toMatch(/\d+ ok, \d+ info, 0 warn, 0 fail\n$/);
    expect(expectCode(await place.run('check', '--quiet'), 0).stdout).toBe('');
  });

  test.each<[string, string, number, string, RegExp, RegExp]>([
    [
      'a database that is not there',
      base.replace('shop.sqlite', 'none.sqlite') + job,
      3,
      'source',
      /none\.sqlite does not exist/,
      /Check "path"/,
    ],
    [
      'a variable that is not set',
      `${base.replace('./backups', `"${'$'}{NOWHERE}"`)}${job}`,
      4,
      'destination',
      /NOWHERE/,
      /Set NOWHERE/,
    ],
    [
      'a disk that is not mounted',
      base.replace('./backups', '/mnt/dbbackup-no-such-disk/x') + job,
      4,
      'destination',
      /nothing is mounted/,
      /Mount the disk/,
    ],
    [
      'a key that is not there',
      `${base}encryption: { main: { type: aes-256-gcm, keyFile: ./none.key } }\njobs: { shop: { source: shop, destinations: [disk, second], encryption: main } }\n`,
      2,
      'encryption',
      /none\.key/,
      /path/,
    ],
    [
      'a profile that can only decrypt',
      `${base}encryption: { main: { type: age, identityFile: ./own.agekey } }\njobs: { shop: { source: shop, destinations: [disk, second], encryption: main } }\n`,
      2,
      'encryption',
      /can only restore/,
      /recipients/,
    ],
    ['a signing key that is none', `${base}signing: { key: nonsense }\n${job}`, 2, 'encryption', /key/, /\w/],
    [
      'a message that lacks its secret',
      `${base}notifications: { ops: { type: slack, url: "${'$'}{SLACK_URL}" } }\njobs: { shop: { source: shop, destinations: [disk, second], notify: ops } }\n`,
      2,
      'notification',
      /SLACK_URL/,
      /Set SLACK_URL/,
    ],
  ])('%s', async (_, config, code, kind, what, wayOut) => {
    expectCode(await place.run('keygen', 'own.agekey'), 0);
    const [found, ...others] = await check(config, code);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ severity: 'fail', subject: { kind } });
    expect(found?.what).toMatch(what);
    expect(found?.wayOut).toMatch(wayOut);
  });

  test('a key file that others can read', async () => {
    expectCode(await place.run('keygen', 'main.key', '--type', 'aes-256-gcm'), 0);
    const config = `${base}encryption: { main: { type: aes-256-gcm, keyFile: ./main.key } }\njobs: { shop: { source: shop, destinations: [disk, second], encryption: main } }\n`;
    expect(await check(config, 0)).toEqual([]);
    await chmod(place.path('main.key'), 0o644);
    const [found] = await check(config, 2);
    expect(found?.what).toMatch(/can be read by everyone/);
    expect(found?.wayOut).toMatch(/chmod 600/);
  });

  test('a file where the folder should be, a folder that others may write, and only one recipient', async () => {
    await writeFile(place.path('backups'), 'a file');
    await mkdir(place.path('second'));
    await chmod(place.path('second'), 0o777);
    const { stdout } = expectCode(await place.run('keygen', 'own.agekey'), 0);
    const recipient = /age1\w+/.exec(stdout)?.[0];
    const config = `${base}encryption: { main: { type: age, recipients: [${recipient}] } }\njobs: { shop: { source: shop, destinations: [disk, second], encryption: main } }\n`;
    expect((await check(config, 4)).map(({ severity, what }) => `${severity} ${what}`)).toEqual([
      expect.stringMatching(/fail .*backups is no folder/),
      expect.stringMatching(/warn others may write to .*second/),
      expect.stringMatching(/warn only one recipient/),
    ]);
    await place.configure(config);
    expectCode(await place.run('check', '--destination', 'second'), 8);
  });

  test('failures of several kinds are told apart from those of one', async () => {
    const config = base.replace('shop.sqlite', 'none.sqlite').replace('./backups', '/dev/null') + job;
    expect(await check(config, 7)).toHaveLength(2);
    expect(await check(config, 3, '--source', 'shop')).toHaveLength(1);
    expect(await check(config, 4, '--destination', 'disk', '--destination', 'second')).toHaveLength(1);
    expect(await check(config, 0, '--destination', 'second')).toEqual([]);
  });

  test('text dumps need the program, binary ones do not', async () => {
    const config = `${base}${job.replace('[disk, second]', '[disk, second], format: sql')}`;
    expect(await check(config, 0)).toEqual([]);
    place.env['PATH'] = place.folder;
    expect((await check(config, 3))[0]?.what).toMatch(/sqlite3/);
    expect(await check(base + job, 0)).toEqual([]);
  });

  test('a store elsewhere without encryption is told; a store that does not answer is not waited for', async () => {
    const away =
      '{ type: s3, bucket: b, endpoint: "http://127.0.0.1:1", accessKeyId: a, secretAccessKey: canary-secret-value }';
    const started = Date.now();
    await place.configure(`sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups }, away: ${away} }
jobs: { shop: { source: shop, destinations: [disk, away] } }
`);
    const run = expectCode(await place.run('check', '--json'), 4);
    expect(Date.now() - started).toBeLessThan(30_000);
    expect(troubles(run).map(({ severity, what }) => `${severity} ${what}`)).toEqual([
      expect.stringMatching(/fail .*ECONNREFUSED/),
      'warn it stores unencrypted at away',
    ]);
    expect(run.stdout + run.stderr).not.toContain('canary-secret-value');
  });

  test('removes what a killed check has left, once it is old', async () => {
    await mkdir(place.path('backups', 'dbbackup-check'), { recursive: true, mode: 0o700 });
    for (const name of ['old', 'new'])
      await writeFile(place.path('backups', 'dbbackup-check', `${name}.state.json`), '{}');
    const old = new Date(Date.now() - 2 * 3_600_000);
    await utimes(place.path('backups', 'dbbackup-check', 'old.state.json'), old, old);
    await check(base + job, 0);
    expect(Object.keys(await filesIn(place.path('backups')))).toEqual(['dbbackup-check/new.state.json']);
  });

  test.each([
    [['nobody'], /no job "nobody"/],
    [['--source', 'nobody'], /no source "nobody"/],
    [['--destination', 'dsk'], /no destination "dsk"/],
    [['shop', '--all'], /not both/],
  ])('refuses %j', async (args, message) => {
    await place.configure(base + job);
    expect(expectCode(await place.run('check', ...args), 2).stderr).toMatch(message);
  });
});
