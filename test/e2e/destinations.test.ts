/** One dump to three kinds of places in one run, over the built program: what each gives back, and what one dead server does. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rcloneOptionsFor, type SftpServer, startSshd } from '../servers/sftp.ts';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import type { ListedBackup } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const names = ['disk', 'vault', 'cloud'] as const;

// Most of the time goes by while rclone logs in, again and again: hence side by side, and with patience.
describe('local, sftp and rclone in one run', { timeout: 240_000 }, () => {
  let place: Workplace;
  let vault: SftpServer;
  let cloud: SftpServer;
  let original: unknown;
  const listed = async (destination: string) => {
    const [listing] = events<{ backups: ListedBackup[] }>(
      expectCode(await place.run('list', destination, '--json'), 0),
    );
    return listing?.backups ?? [];
  };
  const onlyKeyOf = async (destination: string) => {
    const [first, ...others] = await listed(destination);
    expect(others).toEqual([]);
    return first?.key ?? 'none';
  };

  beforeAll(async () => {
    place = await makeWorkplace();
    [vault, cloud] = await Promise.all([startSshd(), startSshd()]);
    const { environment = {}, remote } = rcloneOptionsFor(cloud);
    const { host, port, user, path, knownHosts } = vault.options;
    await place.configure(`
sources:
  shop: { type: sqlite, path: ./shop.sqlite }
destinations:
  disk: { type: local, path: ./backups }
  vault:
    type: sftp
    host: ${host}
    port: ${port}
    user: ${user}
    path: ${path}
    privateKeyFile: ${vault.options.privateKeyFile}
    knownHosts: ${knownHosts}
    retries: 1
  cloud:
    type: rclone
    remote: ${remote}
    config: ./rclone.conf
    retries: 0
    environment: ${JSON.stringify({ ...environment, RCLONE_RETRIES: '1', RCLONE_LOW_LEVEL_RETRIES: '1' })}
jobs:
  shop: { source: shop, destinations: [disk, vault, cloud] }
`);
    await writeFile(place.path('rclone.conf'), '', { mode: 0o600 });
    fillNasty(place.path('shop.sqlite'));
    original = fingerprintOf(place.path('shop.sqlite'));
    expectCode(await place.run('run', 'shop'), 0);
  }, 240_000);
  afterAll(async () => {
    await Promise.all([vault?.stop(), cloud?.stop()]);
    await place?.remove();
  });

  test.concurrent.each(names)('%s lists, shows, verifies, gives out and restores it', async (name) => {
    const key = await onlyKeyOf(name);
    const reference = `${name}:${key}`;
    const [shown] = events<ListedBackup>(expectCode(await place.run('show', reference, '--json'), 0));
    expect(shown?.sidecar?.id).toBeTruthy();
    expectCode(await place.run('verify', reference), 0);
    expectCode(await place.run('lock', reference), 0);
    expect((await place.run('delete', reference, '--yes')).code).not.toBe(0);
    expectCode(await place.run('unlock', reference), 0);

    expectCode(await place.run('download', reference, '-o', place.path(`from-${name}`)), 0);
    expectCode(await place.run('restore', reference, '--to', place.path(`${name}.sqlite`)), 0);
    expect(fingerprintOf(place.path(`${name}.sqlite`))).toEqual(original);
    expect(await onlyKeyOf(name)).toBe(key);
  });

  test('the doctor finds nothing wrong with sftp and rclone', async () => {
    const checked = await place.run('check', '--destination', 'vault', '--destination', 'cloud');
    expect([0, 8], checked.stdout + checked.stderr).toContain(checked.code);
  });

  test.each([
    ['vault', () => vault],
    ['cloud', () => cloud],
  ] as const)('F21 with the server of %s dead the others are complete', async (dead, server) => {
    await server().kill();
    const run = expectCode(await place.run('run', 'shop'), 7);
    expect(run.stdout).toMatch(new RegExp(`failed ${dead}: [^]*?\\n +hint \\S`));
    await server().start();
    const alive = names.filter((name) => name !== dead);
    const keys = await Promise.all(alive.map((name) => listed(name)));
    const newest = keys.map((backups) =>
      backups
        .map(({ key }) => basename(key))
        .sort()
        .at(-1),
    );
    expect(new Set(newest).size).toBe(1);
    const verified = alive.map((name, index) => place.run('verify', `${name}:shop/${newest[index]}`));
    for (const run of await Promise.all(verified)) expectCode(run, 0);
    expect((await listed(dead)).map(({ key }) => basename(key))).not.toContain(newest[0]);
    expectCode(await place.run('cleanup', dead), 0);
  });

  test.concurrent.each(names)('%s deletes what is told, and nothing else', async (name) => {
    const before = await listed(name);
    const [first] = before;
    expectCode(await place.run('delete', `${name}:${first?.key}`, '--yes'), 0);
    expect((await listed(name)).map(({ key }) => key)).toEqual(before.slice(1).map(({ key }) => key));
  });
});
