/** "At 3 a.m.": no config, no history, and a home that cannot be written to; what is there must come back all the same. */
import { mkdir, readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { runInProcess } from './faulty-app.ts';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace({ DBBACKUP_STATE_DIR: '', HOME: '/proc/nowhere' });
  place = { ...place, env: { ...place.env, TMPDIR: place.path('tmp') } };
  await mkdir(place.path('tmp'));
  fillNasty(place.path('shop.sqlite'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => place.remove());

function runAsNobody(...argv: string[]) {
  if (process.getuid) vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(65_534);
  return runInProcess(place, {}, ...argv);
}

test('a file is restored and read, with a temporary state folder that is gone afterwards', async () => {
  const restored = expectCode(await runAsNobody('restore', './shop.sqlite', '--to', './copy.sqlite'), 0);
  expect(restored.stderr).toContain('/proc/nowhere/.local/state/dbbackup cannot be used');
  expect(fingerprintOf(place.path('copy.sqlite'))).toEqual(fingerprintOf(place.path('shop.sqlite')));
  expectCode(await runAsNobody('verify', './shop.sqlite'), 8);
  expectCode(await runAsNobody('download', './shop.sqlite', '-o', 'file'), 0);
  expect(await readdir(place.path('tmp'))).toEqual([]);
});

test('a run refuses, and so does whoever chose the folder', async () => {
  await place.configure(`
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs: { shop: { source: shop, destinations: disk } }
`);
  expect(expectCode(await runAsNobody('run', 'shop'), 2).stderr).toContain('cannot be used');
  await place.configure('state: { dir: /proc/nowhere }\n');
  const chosen = await runAsNobody('restore', './shop.sqlite', '--to', './other.sqlite');
  expect(expectCode(chosen, 2).stderr).toContain('state folder /proc/nowhere cannot be used');
});
