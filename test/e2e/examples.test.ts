/**
 * The examples of every help, run as they are printed, on a config that has the names they use. Only ids of backups and
 * executions, which nobody can know beforehand, and places outside of the test's folder are put in.
 */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplesOf } from '../docs/example-line.ts';
import { allCommands, helpOf, realProgram } from '../docs/real-program.ts';
import { runInProcess } from '../fault/faulty-app.ts';
import { makeShop } from '../servers/small-shop.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const root = resolve(import.meta.dirname, '../..');

/** Not run here: they need another server, a terminal, a receiver, or are tried at length elsewhere. */
const elsewhere = [
  /postgres:\/\/|--map|--watch|^tune|^cancel|^notify test|^init|^job add|^daemon|^schedule (install|remove)/,
  /^restore .*--to shop --clean/,
  // Of jobs that this config does not have: of other engines.
  /(^| )(?!(example|shop|shop-nightly|weekly)@)[\w-]+@(latest|\d)/,
];
/** Other ends than 0, and why they are right. */
const ends: readonly [RegExp, number][] = [
  [/^delete [^ ]*$/, 2], // nobody can be asked
  [/^accept /, 2], // nothing here is suspect
  [/^status .*weekly/, 8], // it has not run
];

let place: Workplace;
let ids: Readonly<Record<string, string>>;

const config = `sources:
  shop: { type: sqlite, path: ./shop.sqlite }
destinations: { disk: { type: local, path: ./backups }, offsite: { type: local, path: ./offsite } }
encryption: { main: { type: aes-256-gcm, keyFile: ./main.key } }
keepConfig: true
jobs:
  example: { source: shop, destinations: [disk, offsite], retention: { last: 2 }, schedule: { every: 6h } }
  shop: { source: shop, destinations: disk, retention: { last: 2 } }
  shop-nightly: { source: shop, destinations: disk, enabled: false }
  weekly: { source: shop, destinations: disk, enabled: false }
`;

const dbbackup = (...args: string[]) => runInProcess(place, {}, ...args);

beforeAll(async () => {
  place = await makeWorkplace();
  makeShop(place.path('shop.sqlite'));
  await mkdir(place.path('sample'));
  await copyFile(place.path('shop.sqlite'), place.path('sample', 'shop.sqlite'));
  await copyFile(resolve(root, 'config.example.yaml'), place.path('config.example.yaml'));
  expectCode(await dbbackup('keygen', 'main.key', '--type', 'aes-256-gcm'), 0);
  await place.configure(config);
  const run = expectCode(await dbbackup('run', 'example', '--json'), 0);
  const [result] = events<{ id: string; key: string; executionId: string }>(run, 'result');
  const files = await readdir(place.path('offsite', 'dbbackup-config'));
  ids = {
    'example/example_….sqlite.zst': result?.key ?? '',
    './shop_2026-11-20T03-00-00-123Z_4f9c01.sqlite.zst': `./backups/${result?.key}`,
    './shop_2026-11-20T03-00-00-123Z_4f9c01.dump.zst': `./backups/${result?.key}`,
    '/mnt/usb/backups': './backups',
    '/media/usb': '.',
    '-o\u0000dbbackup.yaml': '-o\u0000recovered.yaml',
    '4f9c01': result?.id.slice(0, 6) ?? '',
    '1f0c2a44': result?.executionId.slice(0, 8) ?? '',
    db1: files[0]?.split('_')[0] ?? '',
  };
});
afterAll(() => place?.remove());

const examples = allCommands(realProgram()).flatMap((command) => examplesOf(helpOf(command)));
const runnable = examples
  .filter((args) => !elsewhere.some((pattern) => pattern.test(args.join(' '))))
  // Each writes what the next would find: a copy restored twice would be there already.
  .map((args, index) => ({ args, index, line: args.join(' ') }));

describe('the examples of the help', () => {
  test('are mostly run here', () => {
    expect(runnable.length).toBeGreaterThan(examples.length / 2);
  });

  test.each(runnable)('dbbackup $line', async ({ args, index, line }) => {
    const printed = args.join('\u0000');
    const known = Object.entries(ids).reduce((text, [word, found]) => text.replaceAll(word, found), printed);
    const real = known
      .replace('copy.sqlite', `copy-${index}.sqlite`)
      .replace('./kit', `./kit-${index}`)
      .split('\u0000');
    const code = ends.find(([pattern]) => pattern.test(line))?.[1] ?? 0;
    const run = await dbbackup(...real);
    expectCode(run, code);
    if (code === 0 && args.includes('--json')) for (const each of run.stdout.trim().split('\n')) JSON.parse(each);
  });
});
