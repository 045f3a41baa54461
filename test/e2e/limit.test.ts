/** A destination with a limit, through the built program: how long it takes, whom it holds up, and that Ctrl-C works. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Database } from '../../src/sqlite-library.ts';
import { backupsOf, filesIn } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

let place: Workplace;

beforeAll(async () => {
  place = await makeWorkplace();
  const database = new Database(place.path('shop.sqlite'));
  database.exec('CREATE TABLE noise (bytes BLOB)');
  database.prepare('INSERT INTO noise VALUES (?)').run(randomBytes(1_000_000));
  database.close();
  await place.configure(`sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations:
  near: { type: local, path: ./near }
  far: { type: local, path: ./far, limit: 500KB/s }
  farthest: { type: local, path: ./farthest, limit: { upload: 1KB/s } }
jobs:
  both: { source: shop, destinations: [near, far] }
  slow: { source: shop, destinations: farthest }
`);
});
afterAll(() => place.remove());

test('a backup takes as long as the limit says, at every destination, and so does its way back', async () => {
  const { size } = await stat(place.path('shop.sqlite'));
  const started = Date.now();
  const [result] = events<{ durationMs: number }>(expectCode(await place.run('run', 'both', '--json'), 0), 'result');
  expect(Date.now() - started).toBeGreaterThan((size / 500_000) * 1000 - 250);
  expect(result).toBeDefined();
  expect((await backupsOf(place)).map(({ destination }) => destination).sort()).toEqual(['far', 'near']);
  const before = Date.now();
  const far = (await backupsOf(place)).find(({ destination }) => destination === 'far');
  expectCode(await place.run('verify', `far:${far?.key}`), 0);
  expect(Date.now() - before).toBeGreaterThan((size / 500_000) * 1000 - 250);
});

test('an interrupted one ends at once, and leaves nothing', async () => {
  const { child, ended } = place.start(['run', 'slow']);
  // Its upload has begun, and would take a quarter of an hour.
  await vi.waitFor(async () => expect(await filesIn(place.path('farthest'))).not.toEqual({}), 30_000);
  const asked = Date.now();
  child.kill('SIGINT');
  expectCode(await ended, 130);
  expect(Date.now() - asked).toBeLessThan(30_000);
  expect(await filesIn(place.path('farthest'))).toEqual({});
});
