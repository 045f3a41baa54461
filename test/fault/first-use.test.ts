/** What a first user met: answers that were untrue, or led nowhere. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('verify where there is no key', () => {
  beforeAll(async () => {
    const made = expectCode(await run('keygen', 'restore.agekey', '--json'), 0);
    const [{ publicPart = '' } = {}] = events<{ publicPart?: string }>(made);
    await place.configure(`
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { safe: { type: local, path: safe } }
encryption: { sealed: { type: age, recipients: [${publicPart}] } }
jobs: { shop: { source: shop, destinations: safe, encryption: sealed } }
`);
    expectCode(await run('run', 'shop'), 0);
    expectCode(await run('run', 'shop'), 0);
  });

  test('what can be told without one is verified, and said to be no more; nothing is remembered', async () => {
    const told = expectCode(await run('verify', 'shop@latest'), 8);
    expect(told.stdout).toContain('could not be verified: no key was given');
    const [result] = events(await run('verify', 'shop@latest', '--json'), 'result');
    expect(result).toMatchObject({ result: 'unopened', storedBytes: expect.any(Number) });
    expectCode(await run('verify', '--all'), 8);
    expect((await run('list', '--json')).stdout).not.toContain('"result":"passed"');
    expectCode(await run('verify', 'shop@latest', '--identity', 'restore.agekey'), 0);
  });

  test('unsigned backups are not called bad ones where a key is pinned', async () => {
    const made = expectCode(await run('keygen', 'sign.key', '--type', 'signing', '--json'), 0);
    const [{ publicPart = '' } = {}] = events<{ publicPart?: string }>(made);
    const refused = expectCode(await run('verify', '--all', '--trust', publicPart), 5);
    expect(refused.stderr).toContain('of 2 backups: 2 not signed by a trusted key');
    expect(refused.stderr).not.toContain('did not pass');
  });

  test('a damaged one is found all the same', async () => {
    const [key = ''] = (await readdir(place.path('safe', 'shop'))).filter((name) => name.endsWith('.age'));
    const file = place.path('safe', 'shop', key);
    const bytes = await readFile(file);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    await writeFile(file, bytes);
    expect(expectCode(await run('verify', `safe:shop/${key}`), 5).stderr).toContain('did not pass verification');
  });
});
