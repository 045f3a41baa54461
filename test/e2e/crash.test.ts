/** F24: SIGKILL at any moment. What is published is whole, and the next run works and clears what the dead one left. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../src/sqlite-library.ts';
import { makeQuickWorkplace } from '../fault/faulty-app.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { backupsOf, filesIn, historyOf } from './aftermath.ts';
import { openCampaign } from './campaign.ts';
import { expectCode, type Workplace } from './cli.ts';
import { runAndKill } from './kill.ts';

const campaign = openCampaign('crash', 6);
const timeout = 120_000 + campaign.rounds * 120_000;
const jobs = ['copied', 'told'] as const;
const config = `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs:
  copied: { source: shop, destinations: disk }
  told: { source: shop, destinations: disk, format: sql, compression: { type: bzip2, level: 1 } }
`;

describe('F24 killed at a random moment', () => {
  let place: Workplace;
  const lasts = new Map<string, number>();

  beforeAll(async () => {
    place = await makeQuickWorkplace();
    await place.configure(config);
    fillNoise(place.path('shop.sqlite'), 3);
    for (const job of jobs) {
      const begun = Date.now();
      expectCode(await place.start(['run', job]).ended, 0);
      lasts.set(job, Date.now() - begun);
    }
  });
  afterAll(() => place.remove());

  const kill = (args: readonly string[], lastsMs: number) => runAndKill(place, campaign, args, lastsMs);

  async function expectSidecarsTrue(): Promise<void> {
    const files = await filesIn(place.path('backups'));
    for (const file of Object.keys(files).filter((name) => name.endsWith('.meta.json'))) {
      const { artifact } = JSON.parse(await readFile(place.path('backups', file), 'utf8'));
      const data = file.slice(0, -'.meta.json'.length);
      expect(files[data]).toBe(artifact.storedSha256);
      expect((await stat(place.path('backups', data))).size).toBe(artifact.storedBytes);
    }
  }

  async function expectNothingUnfinished(): Promise<void> {
    const backups = await backupsOf(place);
    expect(backups.map(({ condition }) => condition)).toEqual(backups.map(() => 'complete'));
    const published = backups.flatMap(({ key }) => [key, `${key}.meta.json`]).sort();
    expect(Object.keys(await filesIn(place.path('backups'))).sort()).toEqual(published);
    expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
    expect(await filesIn(place.path('state', 'lock'))).toEqual({});
    const statuses = new Set((await historyOf(place)).map(({ status }) => status));
    expect([...statuses].filter((status) => !['completed', 'interrupted'].includes(status))).toEqual([]);
  }

  /** Every reading of all backups takes longer than the one before. */
  async function startAfresh(rounds: number, killed: number): Promise<void> {
    expectCode(await place.run('verify', '--all', '--quiet'), 0);
    await rm(place.path('backups'), { recursive: true });
    process.stdout.write(`crash: ${rounds} rounds, ${killed} killed in time\n`);
  }

  test('during runs', { timeout }, async () => {
    let killed = 0;
    for (let round = 0; round < campaign.rounds; round++) {
      const job = campaign.pick(jobs);
      // Some rounds kill the recovery of the round before as well.
      for (let kills = 1 + campaign.below(2); kills > 0; kills--) {
        killed += Number((await kill(['run', job], lasts.get(job) ?? 0)) === null);
        await expectSidecarsTrue();
      }
      expectCode(await place.start(['run', job, '--quiet']).ended, 0);
      await expectNothingUnfinished();
      if (round % 10 === 9) await startAfresh(round + 1, killed);
    }
    const interrupted = (await historyOf(place)).filter(({ status }) => status === 'interrupted').length;
    process.stdout.write(`crash: ${killed} killed in time, ${interrupted} recorded as interrupted\n`);
    expect(killed).toBeGreaterThan(0);
    expectCode(await place.run('verify', '--all', '--quiet'), 0);
  });

  test('during restores: the target is absent or whole, and an existing one is the old or the new', {
    timeout,
  }, async () => {
    expectCode(await place.run('run', 'copied', '--quiet'), 0);
    const [first] = await backupsOf(place);
    const reference = `disk:${first?.key}`;
    const begun = Date.now();
    expectCode(await place.start(['restore', reference, '--to', 'whole.sqlite']).ended, 0);
    const lastsMs = Date.now() - begun;
    const whole = contentOf(place.path('whole.sqlite'));
    fillNoise(place.path('old.sqlite'), 1, 'delete');
    let before = contentOf(place.path('old.sqlite'));
    for (let round = 0; round < campaign.rounds; round++) {
      const fresh = `fresh-${round}.sqlite`;
      await kill(['restore', reference, '--to', fresh], lastsMs);
      if (existsSync(place.path(fresh))) expect(contentOf(place.path(fresh))).toEqual(whole);
      await kill(['restore', reference, '--to', 'old.sqlite', '--clean', '--yes'], lastsMs);
      const after = contentOf(place.path('old.sqlite'));
      expect([before, whole]).toContainEqual(after);
      before = after;
    }
    expectCode(await place.run('restore', reference, '--to', 'old.sqlite', '--clean', '--yes'), 0);
    expect(contentOf(place.path('old.sqlite'))).toEqual(whole);
    expect((await readdir(place.path('.'))).filter((name) => name.startsWith('.dbbackup-restore-'))).toEqual([]);
  });
});

/** Opens it as its next user would, which rolls a half-written one back. */
function contentOf(path: string): unknown {
  const database = new Database(path);
  try {
    const rows = database.prepare('SELECT id, length(bytes), hex(substr(bytes, 1, 16)) FROM noise').raw().all();
    return { rows, integrity: database.pragma('integrity_check') };
  } finally {
    database.close();
  }
}
