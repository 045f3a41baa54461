/** `list` and `history rebuild` through the built program, on a machine that knows the destination alone. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillFolder } from '../servers/many-backups.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

interface Listed {
  readonly backups: readonly {
    readonly key: string;
    readonly size: number;
    readonly sidecar: { readonly startedAt: string };
  }[];
  readonly facets: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly total: number;
  readonly pages: number;
}

let place: Workplace;

async function listed(...args: string[]): Promise<Listed> {
  const [listing] = events<Listed>(expectCode(await place.run('list', '--json', ...args), 0));
  if (listing === undefined) throw new Error('list said nothing');
  return listing;
}

beforeAll(async () => {
  place = await makeWorkplace();
  await place.configure('destinations:\n  disk: { type: local, path: ./backups }\n');
  await fillFolder(place.path('backups'), 60);
});
afterAll(() => place.remove());

describe('list', () => {
  test('sees the backups of jobs that no config knows, and counts them by facet', async () => {
    const { backups, facets } = await listed();
    expect(backups).toHaveLength(60);
    expect(facets).toEqual({
      job: Object.fromEntries(Array.from({ length: 20 }, (_, job) => [`job-${job}`, 3])),
      type: { postgres: 30, sqlite: 30 },
      destination: { disk: 60 },
      encryption: { none: 60 },
      state: { good: 60, unverified: 60 },
    });
  });

  test('gives pages that together are the whole', async () => {
    const all = (await listed('--sort', 'size')).backups.map(({ key }) => key);
    const pages = [];
    for (const page of ['1', '2', '3', '4'])
      pages.push(await listed('--sort', 'size', '--limit', '25', '--page', page));
    expect(pages.flatMap(({ backups }) => backups.map(({ key }) => key))).toEqual(all);
    expect(pages.map(({ backups, total, pages: of }) => [backups.length, total, of])).toEqual([
      [25, 60, 3],
      [25, 60, 3],
      [10, 60, 3],
      [0, 60, 3],
    ]);
  });

  test('combines filters, and shows the page in the foot', async () => {
    const { backups } = await listed('--type', 'sqlite', '--job', 'job-1', '--job', 'job-2', '--since', '2020-01-02');
    expect(backups.map(({ key }) => key.split('/')[0])).toEqual(['job-1', 'job-1']);
    const table = expectCode(await place.run('list', '--limit', '5', '--page', '2'), 0).stdout;
    expect(table.trim().split('\n')).toHaveLength(7);
    expect(table).toMatch(/page 2 of 12 · 60 backups · job: job-/);
  });

  test.each([
    ['--state', 'perfect', /--state perfect: expected one of good/],
    ['--sort', 'colour', /--sort colour: expected one of time/],
    ['--limit', '0', /--limit <n>' argument '0' is invalid. A whole number above zero/],
  ])('refuses %s %s', async (flag, value, message) => {
    expect(expectCode(await place.run('list', flag, value), 2).stderr).toMatch(message);
  });

  test('goes by the store, not by the cache, and needs no cache', async () => {
    const [first] = (await listed()).backups;
    const sidecar = place.path('backups', `${first?.key}.meta.json`);
    const content = await readFile(sidecar, 'utf8');
    await writeFile(
      sidecar,
      content.replace('"note"', '"x"').replace('"host": "db1"', '"host": "db2", "note": "seen"'),
    );
    expect((await listed('--note', 'seen')).total).toBe(1);
    await writeFile(sidecar, content);
    expect((await listed('--note', 'seen')).total).toBe(0);
    await rm(place.path('state'), { recursive: true });
    expect((await listed()).total).toBe(60);
  });
});
