/** What a first user met: answers that were untrue, or led nowhere. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextSteps } from '../../src/cli/wizard/next-steps.ts';
import type { Wizard } from '../../src/cli/wizard/wizard.ts';
import { checkFolder } from '../../src/destination/local/check.ts';
import { sourceTypes } from '../../src/source/all.ts';
import { events, expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { runInProcess } from './faulty-app.ts';

let place: Workplace;
const run = (...argv: string[]) => runInProcess(place, {}, ...argv);
beforeAll(async () => {
  place = await makeWorkplace();
  fillNasty(place.path('shop.sqlite'));
  await place.configure(`
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs: { shop: { source: shop, destinations: disk, retention: { last: 1 } } }
`);
});
afterAll(() => place.remove());

test('config validate --json tells of a bad file in one object', async () => {
  await writeFile(place.path('bad.yaml'), 'jobs: { shop: { source: nowhere, destinations: disk } }\n', { mode: 0o600 });
  const validated = expectCode(await run('config', 'validate', '--json', '-c', 'bad.yaml'), 2);
  expect(events(validated)).toEqual([expect.objectContaining({ valid: false })]);
  expect(validated.stderr).toBe('');
  expect(expectCode(await run('config', 'validate', '-c', 'bad.yaml'), 2).stderr).not.toContain('(s)');
});

test('prune --forecast needs no number', async () => {
  expectCode(await run('run', 'shop'), 0);
  expect(expectCode(await run('prune', '--dry-run', '--forecast'), 0).stdout).toContain('over the next 30 days');
});

test('one backup is not told as several', async () => {
  expect(expectCode(await run('list'), 0).stdout).toMatch(/\b1 backup ·/);
});

test('keygen says what is in the way, and the way out', async () => {
  expect((await run('keygen', 'dbbackup.yaml')).stderr).toMatch(/never overwritten[\s\S]*hint .*Name another file/);
  expect((await run('keygen', 'no/where.key')).stderr).toMatch(/folder does not exist[\s\S]*hint .*mkdir/);
});

test('a restore into a folder that cannot be had says so', async () => {
  const refused = await run('restore', 'shop@latest', '--to', '/proc/x.sqlite');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/hint .*folder/);
});

test('check of a folder that is not there claims nothing before it has tried', async () => {
  const said: string[] = [];
  for await (const { what } of checkFolder('/proc/nope')) said.push(what);
  expect(said[0]).toBe('/proc/nope does not exist yet');
});

test('the wizard names the restore that fills a Redis again, too', async () => {
  const wizard = {
    output: { color: { cyan: (text: string) => text } },
    folders: { working: place.folder, config: place.folder },
    catalog: { sources: sourceTypes },
    runtime: {},
  } as unknown as Wizard;
  const entries = [{ section: 'sources', name: 'cache', fields: [{ key: 'type', value: 'redis' }] }];
  const planned = { job: 'cache', source: 'cache', entries } as unknown as Parameters<typeof nextSteps>[1];
  const told = await nextSteps(place.path('dbbackup.yaml'), planned, {}, wizard, []);
  expect(told).toContain('dbbackup restore cache@latest --output ./restored.rdb\n');
  expect(told).toContain('dbbackup restore cache@latest --to cache --clean\n');
});
