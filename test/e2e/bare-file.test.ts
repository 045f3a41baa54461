/** A backup whose sidecar is lost: usable, and never said to be proven. */
import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

describe('a file without its sidecar', () => {
  let place: Workplace;
  let bare: string;
  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(`
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs: { shop: { source: shop, destinations: disk } }
`);
    fillNasty(place.path('shop.sqlite'));
    expectCode(await place.run('run', 'shop'), 0);
    const [backup] = await backupsOf(place);
    bare = place.path((backup?.key ?? '').replace('shop/', ''));
    await copyFile(place.path('backups', backup?.key ?? ''), bare);
  });
  afterAll(() => place.remove());

  test('verify reads it, claims nothing, and exits 8', async () => {
    const verified = expectCode(await place.run('verify', bare), 8);
    expect(verified.stdout).toContain('with nothing to compare it with');
    expect(verified.stdout).toMatch(/^! /);
    expect(verified.stdout + verified.stderr).not.toContain('every byte is as it was');
  });

  test('an empty file does not pass, and of junk it is said that nothing is known', async () => {
    await writeFile(place.path('empty.sqlite'), '');
    await writeFile(place.path('nothing'), '');
    expect(expectCode(await place.run('verify', 'empty.sqlite'), 5).stdout).not.toContain('readable');
    expect(expectCode(await place.run('verify', 'nothing'), 5).stderr).toContain('is empty');
    await writeFile(place.path('junk'), 'holiday photos');
    const junk = expectCode(await place.run('verify', 'junk'), 8);
    expect(junk.stdout).toMatch(/^! .*nothing is known of it/);
  });

  test('one whose first byte is damaged is not taken for a dump of an unknown format', async () => {
    const bytes = await readFile(bare);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    const damaged = place.path('damaged.sqlite.zst');
    await writeFile(damaged, bytes);
    for (const args of [
      ['verify', damaged],
      ['restore', damaged, '--to', 'never.sqlite'],
      ['restore', damaged, '--output', 'never.dump'],
    ]) {
      expect(expectCode(await place.run(...args), 5).stderr).toContain('is called zstd, and does not begin as such');
    }
    expect((await readdir(place.folder)).filter((name) => name.startsWith('never'))).toEqual([]);
  });

  test('a wrong name is no damage where the bytes tell what they are', async () => {
    await copyFile(place.path('shop.sqlite'), place.path('misnamed.sqlite.zst'));
    expectCode(await place.run('restore', 'misnamed.sqlite.zst', '--to', 'named.sqlite'), 0);
    expect(fingerprintOf(place.path('named.sqlite'))).toEqual(fingerprintOf(place.path('shop.sqlite')));
  });

  test('it is restored, into a database or a file, with a warning', async () => {
    expect(expectCode(await place.run('restore', bare, '--to', 'copy.sqlite'), 0).stderr).toContain('has no sidecar');
    expect(fingerprintOf(place.path('copy.sqlite'))).toEqual(fingerprintOf(place.path('shop.sqlite')));
    expect(expectCode(await place.run('restore', bare, '--output', 'dump'), 0).stderr).toContain('has no sidecar');
  });

  test('the history has the size of what was read', async () => {
    const listed = expectCode(await place.run('history', '--json'), 0);
    const [page] = events<{ executions: { kind: string; storedBytes?: number }[] }>(listed);
    const restored = page?.executions.find(({ kind }) => kind === 'restore');
    expect(restored?.storedBytes).toBe((await stat(bare)).size);
  });

  test('--to and --output at once are refused', async () => {
    const run = expectCode(await place.run('restore', bare, '--to', 'a.sqlite', '--output', 'b'), 2);
    expect(run.stderr).toContain('--to and --output exclude each other');
  });
});
