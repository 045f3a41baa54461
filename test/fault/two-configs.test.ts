/** Two configs with a job of the same name, and one state folder: none tells the other's runs as its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { events, expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { runInProcess } from './faulty-app.ts';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace();
  for (const folder of ['one', 'two']) {
    await mkdir(place.path(folder));
    fillNasty(place.path(folder, 'shop.sqlite'));
    const yaml = `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs: { shop: { source: shop, destinations: disk } }
`;
    await writeFile(place.path(folder, 'dbbackup.yaml'), yaml, { mode: 0o600 });
  }
  expectCode(await inFolder('one', 'run', 'shop'), 0);
});
afterAll(() => place.remove());

function inFolder(folder: string, ...argv: string[]) {
  return runInProcess({ ...place, folder: place.path(folder) }, {}, ...argv);
}

test('jobs counts the runs of its own config', async () => {
  const totals = async (folder: string) => {
    const told = events<{ jobs: { statistics: { total: number } }[] }>(await inFolder(folder, 'jobs', '--json'));
    return told[0]?.jobs.map(({ statistics }) => statistics.total);
  };
  expect(await totals('one')).toEqual([1]);
  expect(await totals('two')).toEqual([0]);
});

test('report does, too', async () => {
  const runs = async (folder: string) => {
    const run = expectCode(await inFolder(folder, 'report', '--json', '--no-destinations'), 0);
    const [told] = events<{ jobs: { name: string; counts: { total: number } }[] }>(run);
    return told?.jobs.map(({ name, counts }) => [name, counts.total]);
  };
  expect(await runs('one')).toEqual([['shop', 1]]);
  expect(await runs('two')).toEqual([['shop', 0]]);
});
