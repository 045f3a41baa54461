/**
 * Our process, a server or a connection dies at a random moment while four kinds of destinations are written: nothing
 * is listed as complete that fails `verify`, and what is left over is cleared by the next run and `cleanup`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Server, startS3 } from '../servers/s3.ts';
import { rcloneOptionsFor, type SftpServer, startSshd } from '../servers/sftp.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { backupsOf, filesIn, processesOf } from './aftermath.ts';
import { openCampaign } from './campaign.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';
import { runAndKill } from './kill.ts';

const campaign = openCampaign('destination-crash', 1);
const megabytes = 12;
const kept = 2;
const deaths = [
  'process',
  'process',
  'vault server',
  'cloud server',
  'vault line',
  'cloud line',
  'bucket line',
] as const;

describe('death at a random moment, over the kinds', { timeout: 180_000 + campaign.rounds * 60_000 }, () => {
  let place: Workplace;
  let vault: SftpServer;
  let cloud: SftpServer;
  let bucket: S3Server;
  let lastsMs = 0;

  beforeAll(async () => {
    place = await makeWorkplace();
    [vault, cloud, bucket] = await Promise.all([startSshd(), startSshd(), startS3()]);
    const { environment = {}, remote } = rcloneOptionsFor(cloud);
    const { host, port, user, path, privateKeyFile, knownHosts } = vault.options;
    await place.configure(`
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations:
  disk: { type: local, path: backups }
  vault: ${JSON.stringify({ type: 'sftp', host, port, user, path, privateKeyFile, knownHosts, retries: 1 })}
  cloud: ${JSON.stringify({ type: 'rclone', remote, retries: 0, environment: { ...environment, RCLONE_RETRIES: '1', RCLONE_LOW_LEVEL_RETRIES: '1' } })}
  bucket: ${JSON.stringify({ type: 's3', ...bucket.options, region: 'us-east-1' })}
jobs:
  shop: { source: shop, destinations: [disk, vault, cloud, bucket], compression: none, retention: { last: ${kept} } }
`);
    fillNoise(place.path('shop.sqlite'), megabytes);
    const begun = Date.now();
    expectCode(await place.run('run', 'shop', '--quiet'), 0);
    lastsMs = Date.now() - begun;
  }, 120_000);
  afterAll(async () => {
    await Promise.all([vault?.stop(), cloud?.stop(), bucket?.stop()]);
    await place?.remove();
  });

  /** Resolves when the run is over; true when the death came in time to be noticed. */
  async function runWith(death: (typeof deaths)[number]): Promise<boolean> {
    if (death === 'process') return (await runAndKill(place, campaign, ['run', 'shop', '--quiet'], lastsMs)) === null;
    const { ended } = place.start(['run', 'shop', '--quiet']);
    if (death === 'bucket line') bucket.proxy.rule = cutOnce();
    else if (death.endsWith('line')) serverOf(death).proxy.dropAfter(campaign.below(megabytes * 1e6), 'to-server');
    else {
      await delay(campaign.random() * lastsMs);
      await serverOf(death).kill();
    }
    const { code } = await ended;
    await Promise.all([vault.start(), cloud.start()]);
    bucket.proxy.rule = () => undefined;
    return code !== 0;
  }

  const serverOf = (death: string) => (death.startsWith('vault') ? vault : cloud);

  function cutOnce(): typeof bucket.proxy.rule {
    let left = campaign.below(12);
    const afterBytes = campaign.below(5e6);
    const kind = campaign.pick(['cut-request', 'lose-answer'] as const);
    return () => (left-- === 0 ? { kind, afterBytes } : undefined);
  }

  async function expectTidy(): Promise<void> {
    const backups = await backupsOf(place);
    expect(backups.map(({ condition }) => condition)).toEqual(backups.map(() => 'complete'));
    const pairs = (destination: string) =>
      backups
        .filter((backup) => backup.destination === destination)
        .flatMap(({ key }) => [key, `${key}.meta.json`])
        .sort();
    const { Contents = [] } = await bucket.client.listObjectsV2({ Bucket: bucket.options.bucket });
    const stored = {
      disk: Object.keys(await filesIn(place.path('backups'))),
      vault: Object.keys(await filesIn(`${vault.root}/store`)),
      cloud: Object.keys(await filesIn(cloud.root)).map((key) => key.replace(/^store\//, '')),
      bucket: Contents.map(({ Key = '' }) => Key),
    };
    for (const [name, keys] of Object.entries(stored)) {
      // `verify` leaves its result beside a backup.
      expect(keys.filter((key) => !key.endsWith('.state.json')).sort(), name).toEqual(pairs(name));
      expect(pairs(name).length / 2, name).toBeGreaterThanOrEqual(kept);
    }
    expect(await bucket.openUploads()).toEqual([]);
    expect(processesOf(place)).toEqual([]);
  }

  test('nothing false is listed, nothing is left', async () => {
    const noticed: Record<string, number> = {};
    expectCode(await place.run('run', 'shop', '--quiet'), 0);
    for (let round = 0; round < campaign.rounds; round++) {
      const death = campaign.pick(deaths);
      noticed[death] = (noticed[death] ?? 0) + Number(await runWith(death));
      expectCode(await place.run('verify', '--all', '--quiet'), 0);
      expectCode(await place.run('run', 'shop', '--quiet'), 0);
      // Data whose sidecar could not follow, nor be taken back over the dead line, is an orphan: removed on demand only.
      expectCode(await place.run('cleanup', '--older-than', '0m', '--orphans', '--yes', '--quiet'), 0);
      await expectTidy();
      if (round % 10 === 9)
        process.stdout.write(`destination-crash: ${round + 1} rounds, ${JSON.stringify(noticed)}\n`);
    }
    process.stdout.write(`destination-crash: noticed ${JSON.stringify(noticed)}\n`);
    // A single death may come too late.
    if (campaign.rounds >= 10) expect(Object.values(noticed).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  });
});
