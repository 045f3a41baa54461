/** Retention through the built program: after a run, by hand, and while another process reads. */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Database } from '../../src/sqlite-library.ts';
import { makeQuickWorkplace } from '../fault/faulty-app.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, type Workplace } from './cli.ts';

interface PruneEvent {
  readonly destinations: readonly {
    readonly deleted: readonly string[];
    readonly decisions: readonly { readonly key: string; readonly reasons: readonly { readonly rule: string }[] }[];
  }[];
}

let place: Workplace;

beforeEach(async () => {
  place = await makeQuickWorkplace();
  await place.configure(`
sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups } }
jobs:
  shop: { source: shop, destinations: disk, compression: none, retention: { last: 2 } }
`);
  const database = new Database(place.path('shop.sqlite'));
  // More than pipes hold, so that a reader can be made to wait.
  database.exec('CREATE TABLE t (a BLOB); INSERT INTO t VALUES (randomblob(3000000))');
  database.close();
});
afterEach(() => place.remove());

async function run(times: number, ...flags: string[]): Promise<void> {
  for (let done = 0; done < times; done += 1) expectCode(await place.run('run', 'shop', ...flags), 0);
}

test('runs after a backup, or not', async () => {
  await run(3, '--no-retention');
  expect(await backupsOf(place)).toHaveLength(3);
  const [oldest] = (await backupsOf(place)).map(({ key }) => key).sort();
  const sidecar = place.path('backups', `${oldest}.meta.json`);
  await chmod(sidecar, 0o600);
  await writeFile(sidecar, '{');
  const last = expectCode(await place.run('run', 'shop'), 0);
  expect(last.stdout).toMatch(/retention at disk: kept 3, deleted 1; 1 unreadable or damaged left alone/);
  expect(await backupsOf(place)).toHaveLength(3);
});

test('trouble with it is a warning beside a good backup', async () => {
  await run(2);
  const [oldest] = [...(await backupsOf(place))].sort((a, b) => (a.key < b.key ? -1 : 1));
  await mkdir(place.path('backups', `${oldest?.key}.state.json`));
  const { stdout, stderr } = expectCode(await place.run('run', 'shop'), 8);
  expect(stdout).toMatch(/✓ shop: /);
  expect(stderr).toMatch(/warning after the backup of shop: retention of shop at disk failed: deleting disk:shop/);
  expect(await backupsOf(place)).toHaveLength(3);
});

test('prune asks, tells why and spares what is locked', async () => {
  await run(3, '--no-retention');
  const dry = expectCode(await place.run('prune', '--dry-run'), 0);
  expect(dry.stdout).toMatch(/shop at disk: keep 2, would delete 1/);
  expect(dry.stdout).toMatch(/delete .* no rule keeps it/);
  expect(dry.stdout).toMatch(/over the next 30 days/);
  expectCode(await place.run('prune', 'shop'), 2);
  expect(await backupsOf(place)).toHaveLength(3);
  expectCode(await place.run('lock', 'shop@latest', '--reason', 'year end'), 0);
  expectCode(await place.run('prune', 'shop', '--yes'), 0);
  expect(await backupsOf(place)).toHaveLength(3);
  expectCode(await place.run('unlock', 'shop@latest'), 0);
  const [done] = events<PruneEvent>(expectCode(await place.run('prune', '--yes', '--json'), 0), 'result');
  expect(done?.destinations[0]?.deleted).toHaveLength(1);
  expect(await backupsOf(place)).toHaveLength(2);
});

test('F31 what another process reads is not deleted', async () => {
  await run(3, '--no-retention');
  const oldest = (await backupsOf(place)).map(({ key }) => key).sort()[0] ?? '';
  const reader = place.start(['download', `disk:${oldest}`, '--output', '-']);
  reader.child.stdout?.pause();
  const locks = () => readdir(place.path('state', 'lock')).catch(() => []);
  await vi.waitFor(async () => expect((await locks()).some((name) => name.startsWith('backup~'))).toBe(true), 20_000);
  const [pruned] = events<PruneEvent>(expectCode(await place.run('prune', '--yes', '--json'), 0), 'result');
  expect(pruned?.destinations[0]?.deleted).toEqual([]);
  const decision = pruned?.destinations[0]?.decisions.find(({ key }) => key === oldest);
  expect(decision?.reasons.map(({ rule }) => rule)).toEqual(['in-use']);
  reader.child.stdout?.resume();
  expectCode(await reader.ended, 0);
  expectCode(await place.run('prune', '--yes'), 0);
  expect((await backupsOf(place)).map(({ key }) => key)).not.toContain(oldest);
});
