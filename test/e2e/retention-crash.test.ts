/**
 * F24, F31: SIGKILL at any moment of runs with retention on. No good backup is lost, and the next run finishes what
 * the dead one began, the pruning too.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeQuickWorkplace } from '../fault/faulty-app.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { backupsOf, filesIn, historyOf } from './aftermath.ts';
import { openCampaign } from './campaign.ts';
import { expectCode, type Workplace } from './cli.ts';
import { runAndKill } from './kill.ts';

const campaign = openCampaign('retention-crash', 6);
const kept = 3;
const config = `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups }, vault: { type: local, path: vault } }
jobs:
  shop: { source: shop, destinations: [disk, { name: vault, retention: { last: ${kept + 1} } }], retention: { last: ${kept} } }
`;

describe('F24 killed at a random moment of a run with retention', {
  timeout: 120_000 + campaign.rounds * 30_000,
}, () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeQuickWorkplace();
    await place.configure(config);
    fillNoise(place.path('shop.sqlite'), 1);
  });
  afterAll(() => place.remove());

  /** The built program, as whoever finds the dead one would start it. */
  const runAgain = async () => expectCode(await place.start(['run', 'shop', '--quiet']).ended, 0);

  const complete = async (destination: string) =>
    (await backupsOf(place))
      .filter((backup) => backup.destination === destination && backup.condition === 'complete')
      .map(({ key }) => key)
      .sort();

  /** Everything that was ever seen whole at a destination, oldest first: a name begins with its time. */
  const seen = { disk: new Set<string>(), vault: new Set<string>() };

  async function expectNewestThere(): Promise<void> {
    for (const [destination, keys] of Object.entries(seen)) {
      const there = await complete(destination);
      for (const key of there) keys.add(key);
      const wanted = [...keys].sort().slice(destination === 'disk' ? -kept : -kept - 1);
      expect(there).toEqual(expect.arrayContaining(wanted));
    }
  }

  async function expectTidy(): Promise<void> {
    await expectNewestThere();
    expect(await complete('disk')).toHaveLength(Math.min(kept, seen.disk.size));
    expect(await complete('vault')).toHaveLength(Math.min(kept + 1, seen.vault.size));
    for (const folder of ['backups', 'vault']) {
      const files = Object.keys(await filesIn(place.path(folder))).sort();
      const keys = await complete(folder === 'vault' ? 'vault' : 'disk');
      expect(files).toEqual(keys.flatMap((key) => [key, `${key}.meta.json`]).sort());
    }
    expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
    expect((await historyOf(place)).filter(({ status }) => !['completed', 'interrupted'].includes(status))).toEqual([]);
  }

  test('the newest stay, and the next run tidies up', async () => {
    for (let filled = 0; filled <= kept; filled++) await runAgain();
    await expectTidy();
    const begun = Date.now();
    await runAgain();
    const lastsMs = Date.now() - begun;
    let killed = 0;
    for (let round = 0; round < campaign.rounds; round++) {
      killed += Number((await runAndKill(place, campaign, ['run', 'shop'], lastsMs)) === null);
      await expectNewestThere();
      await runAgain();
      await expectTidy();
    }
    process.stdout.write(`retention-crash: ${killed} of ${campaign.rounds} killed in time\n`);
    expect(killed).toBeGreaterThan(0);
    expectCode(await place.run('verify', '--all', '--quiet'), 0);
  });
});
