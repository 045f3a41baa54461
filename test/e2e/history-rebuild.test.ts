/** F27: a history that was deleted or damaged is written anew from the sidecars, and one that is whole stays as it is. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillFolder } from '../servers/many-backups.ts';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { filesIn } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly job?: string;
  readonly backupId?: string;
  readonly rebuiltAt?: string;
  readonly destinations: readonly { readonly name: string }[];
}
interface Rebuilt {
  readonly backups: number;
  readonly executions: number;
  readonly destinations: number;
  readonly validations: number;
  readonly known: number;
}

let place: Workplace;

async function history(...args: string[]): Promise<readonly Entry[]> {
  const run = expectCode(await place.run('history', '--limit', '100000', '--json', ...args), 0);
  return events<{ executions: Entry[] }>(run)[0]?.executions ?? [];
}

async function rebuild(...args: string[]): Promise<Rebuilt> {
  const [done] = events<Rebuilt>(expectCode(await place.run('history', 'rebuild', '--json', ...args), 0));
  if (done === undefined) throw new Error('nothing was said');
  return done;
}

async function forget(): Promise<void> {
  for (const name of await readdir(place.path('state'))) {
    if (name.startsWith('history.')) await rm(place.path('state', name));
  }
}

/** What a sidecar can tell of a run, in the order of the runs. */
function told(entries: readonly Entry[]) {
  const backups = entries.filter(({ kind, backupId }) => kind === 'backup' && backupId !== undefined);
  return backups.map((entry) => {
    const {
      id,
      config,
      rebuiltAt,
      created,
      updated,
      pid,
      step,
      estimatedBytes,
      startedAt,
      finishedAt,
      durationMs,
      ...rest
    } = entry as Entry & Record<string, unknown>;
    return rest;
  });
}

beforeAll(async () => {
  place = await makeWorkplace();
  await place.configure(`sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups }, usb: { type: local, path: ./usb } }
jobs:
  both: { source: shop, destinations: [disk, usb] }
  one: { source: shop, destinations: disk, compression: { type: gzip, level: 4 } }
`);
  fillNasty(place.path('shop.sqlite'));
  expectCode(await place.run('run', 'both', '--note', 'the first'), 0);
  expectCode(await place.run('run', 'one'), 0);
  expectCode(await place.run('verify', 'one@latest'), 0);
});
afterAll(() => place.remove());

describe('F27 history rebuild', () => {
  test('changes nothing in a history that is whole', async () => {
    const before = await history();
    expect(await rebuild()).toMatchObject({ backups: 2, executions: 0, destinations: 0, validations: 0, known: 2 });
    expect(await history()).toEqual(before);
  });

  test('brings back what was deleted, marked, and touches no backup', async () => {
    const before = await history();
    const files = [await filesIn(place.path('backups')), await filesIn(place.path('usb'))];
    await forget();
    expect(await rebuild()).toMatchObject({ backups: 2, executions: 2, destinations: 3, validations: 1, known: 0 });
    const after = await history();
    expect(told(after)).toEqual(told(before));
    expect(after.every(({ rebuiltAt }) => rebuiltAt !== undefined)).toBe(true);
    expect([await filesIn(place.path('backups')), await filesIn(place.path('usb'))]).toEqual(files);
    expect(expectCode(await place.run('history'), 0).stdout).toMatch(/backup \(rebuilt\) +one/);
    expect(expectCode(await place.run('jobs'), 0).stdout).toMatch(/one .*completed .*1\/1/);
  });

  test('done again it changes nothing', async () => {
    const before = await history();
    expect(await rebuild()).toMatchObject({ executions: 0, destinations: 0, validations: 0, known: 2 });
    expect(await history()).toEqual(before);
  });

  test('adds what another destination knows to what it has rebuilt', async () => {
    await forget();
    expect(await rebuild('usb')).toMatchObject({ backups: 1, executions: 1, destinations: 1 });
    expect(await rebuild()).toMatchObject({ backups: 2, executions: 1, destinations: 2, known: 1 });
    const both = (await history('both')).find(({ kind }) => kind === 'backup');
    expect(both?.destinations.map(({ name }) => name).sort()).toEqual(['disk', 'usb']);
  });

  test('keeps the entries of later runs, and puts the lost ones beside them', async () => {
    await forget();
    expectCode(await place.run('run', 'one'), 0);
    const [own] = await history();
    expect(await rebuild()).toMatchObject({ backups: 3, executions: 2, known: 1 });
    const after = await history();
    expect(after).toHaveLength(3);
    expect(after.find(({ id }) => id === own?.id)).toEqual(own);
  });

  test('works on a damaged file, which is kept aside', async () => {
    await writeFile(place.path('state', 'history.sqlite'), 'no database at all, but long enough to be looked at');
    const run = await place.run('history', 'rebuild', '--json');
    expect(expectCode(run, 8).stderr).toMatch(/damaged/);
    expect(events<Rebuilt>(run)[0]).toMatchObject({ executions: 3 });
    expect((await readdir(place.path('state'))).some((name) => /history\.sqlite.+/.test(name))).toBe(true);
  });

  test('says which destination it could not read, and rebuilds from the others', async () => {
    await forget();
    await writeFile(
      place.path('away.yaml'),
      `destinations:
  disk: { type: local, path: ./backups }
  away: { type: s3, bucket: b, endpoint: "http://127.0.0.1:1", accessKeyId: a, secretAccessKey: canary-secret }
`,
      { mode: 0o600 },
    );
    const run = expectCode(await place.run('history', 'rebuild', '--config', 'away.yaml'), 7);
    expect(run.stderr).toMatch(/away could not be read/);
    expect(run.stdout).toMatch(/3 backups found: 3 written down anew/);
  });

  test('takes thousands at once', async () => {
    await fillFolder(place.path('backups'), 2000);
    expect(await rebuild('disk')).toMatchObject({ backups: 2003, executions: 2000 });
    expect(expectCode(await place.run('history', 'job-7'), 0).stdout).toMatch(/page 1 of 5, 100 executions/);
  });
});
