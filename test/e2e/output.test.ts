/** What commands print, and where: JSON alone under --json, nothing under --quiet, exit codes as documented. */
import { once } from 'node:events';
import { chmod, mkdir, open, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const config = `
sources:
  shop: { type: sqlite, path: ./shop.sqlite }
  gone: { type: sqlite, path: ./gone.sqlite }
destinations:
  disk: { type: local, path: ./backups }
  file: { type: local, path: ./a-file }
jobs:
  shop: { source: shop, destinations: disk }
  gone: { source: gone, destinations: disk }
  full: { source: shop, destinations: file }
  both: { source: shop, destinations: [disk, file] }
`;

describe('output', () => {
  let place: Workplace;
  let key: string;
  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(config);
    await writeFile(place.path('a-file'), 'no folder');
    fillNasty(place.path('shop.sqlite'));
    expectCode(await place.run('run', 'shop'), 0);
    key = (await backupsOf(place))[0]?.key ?? '';
  });
  afterAll(() => place.remove());

  test.each([
    ['run', 'shop'],
    ['run', 'shop', '--dry-run'],
    ['list', 'disk'],
    ['list', 'disk', '--incomplete', '--since', '7d'],
    ['show', 'shop@latest'],
    ['verify', 'shop@latest'],
    ['restore', 'shop@latest', '--to', 'json.sqlite'],
    ['restore', 'shop@latest', '--output', 'json.out'],
    ['download', 'shop@latest', '-o', 'json.download'],
    ['cleanup', 'disk', '--dry-run'],
    ['history'],
    ['status'],
    ['jobs'],
    ['keys', 'disk'],
    ['keygen', 'json.key'],
    ['config', 'validate'],
    ['config', 'show'],
    ['config', 'schema'],
  ])('--json: every line that %s %s writes is JSON', async (...command) => {
    const all = events(expectCode(await place.run(...command, '--json'), 0));
    expect(all.length).toBeGreaterThan(0);
    for (const event of all) expect(event).toBeTypeOf('object');
  });

  test.each([
    ['run', 'sohp'],
    ['run', 'gone'],
    ['rnu'],
    ['run', '--nonsense'],
    ['show', 'shop@1999'],
    ['config', 'validate', '--config', 'absent.yaml'],
  ])('--json: %s %s fails with one error object', async (...command) => {
    const run = await place.run(...command, '--json');
    expect(events(run, 'error')).toEqual([
      expect.objectContaining({
        error: expect.objectContaining({ exitCode: run.code, message: expect.any(String), code: expect.any(String) }),
      }),
    ]);
  });

  test('--json: a run tells its steps, and ends with the result', async () => {
    const run = expectCode(await place.run('run', 'shop', '--json'), 0);
    expect(events(run, 'step').map((event) => event['step'])).toEqual(['inspect', 'dump', 'publish']);
    expect(events(run).map((event) => event['type'])).toEqual(expect.arrayContaining(['start', 'progress', 'end']));
    expect(events(run).at(-1)).toMatchObject({ type: 'result', job: 'shop', status: 'completed' });
  });

  test.each([
    ['run', 'shop'],
    ['verify', 'shop@latest'],
    ['restore', 'shop@latest', '--to', 'quiet.sqlite'],
  ])('--quiet: %s says nothing when all is well', async (...command) => {
    const run = expectCode(await place.run(...command, '--quiet'), 0);
    expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: '', stderr: '' });
  });

  test('--quiet still says what failed', async () => {
    expect(expectCode(await place.run('run', 'gone', '--quiet'), 3).stderr).toMatch(/^error .*gone/);
  });

  test.each([
    [
      'no job of that name, with the one that was meant',
      2,
      /no job "sohp".*[\s\S]*Did you mean "shop"\?/,
      ['run', 'sohp'],
    ],
    ['no command of that name', 2, /unknown command 'rnu'\n.*Did you mean run\?/, ['rnu']],
    ['no such option', 2, /unknown option '--al'\n.*Did you mean --all\?/, ['run', '--al']],
    ['no argument', 2, /missing required argument/, ['show']],
    ['no jobs named', 2, /which job\?/, ['run']],
    ['a destination of another job', 2, /no destination "fiel"/, ['run', 'shop', '--destination', 'fiel']],
    ['no destination of that name', 2, /no destination "dsik"/, ['list', 'dsik']],
    ['no backup of that name', 2, /no backup "shop@1999"/, ['show', 'shop@1999']],
    ['a key that leads out', 5, /unsafe object name/, ['show', 'disk:../../etc/passwd']],
    ['a time that is none', 2, /is no time/, ['list', '--since', 'yesterday-ish']],
    ['a number that is none', 2, /whole number/, ['history', '--limit', '-3']],
    ['no config where it was named', 2, /absent\.yaml/, ['run', 'shop', '--config', 'absent.yaml']],
    ['a source that is not there', 3, /gone\.sqlite does not exist/, ['run', 'gone']],
    ['a destination that cannot be written', 4, /a-file/, ['run', 'full']],
    ['one destination of two', 7, /a-file/, ['run', 'both']],
    ['a target of the wrong kind', 2, /neither a source/, ['restore', 'shop@latest', '--to', 'mongodb://h/d']],
    [
      'an option that the engine does not have',
      2,
      /--create/,
      ['restore', 'shop@latest', '--to', 'n.sqlite', '--create'],
    ],
  ])('exit code for %s: %i', async (_, code, message, command) => {
    const run = expectCode(await place.run(...command), code);
    expect(run.stdout + run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });

  test('a backup whose data is gone or damaged: 4 and 5', async () => {
    const damaged = key.replace(/_[0-9a-f]{6}\./, '_000000.');
    await writeFile(place.path('backups', damaged), 'x');
    await writeFile(place.path('backups', `${damaged}.meta.json`), '{}');
    expectCode(await place.run('verify', `disk:${damaged}`), 5);
    expectCode(await place.run('verify', `disk:${damaged.replace('000000', '111111')}`), 2);
  });

  test('every problem of a bad config at once', async () => {
    const bad = await makeWorkplace();
    try {
      await bad.configure(`sources: { a: { type: sqlite, pth: x } }
destinations: { disk: { type: lokal } }
jobs:
  j: { source: b, destinations: [disk], compression: { type: zstd, level: 99 }, timeouts: { idle: -3s } }
`);
      for (const command of [['config', 'validate'], ['run', 'j'], ['list']]) {
        const { stderr } = expectCode(await bad.run(...command), 2);
        for (const part of ['"path"', '"local"', 'jobs.j.source', 'jobs.j.compression.level', 'jobs.j.timeouts.idle']) {
          expect(stderr).toContain(part);
        }
      }
    } finally {
      await bad.remove();
    }
  });

  test('a reader that leaves early costs no backup', async () => {
    const { child, ended } = place.start(['run', 'shop', '--json']);
    child.stdout?.destroy();
    expectCode(await ended, 0);
    expectCode(await place.run('verify', 'shop@latest'), 0);
  });

  test('a result that cannot be written is a failure', async () => {
    const full = await open('/dev/full', 'w');
    const { child, ended } = place.start(['list', 'disk', '--json'], {}, ['ignore', full.fd, 'pipe']);
    await once(child, 'close');
    await full.close();
    expect(expectCode(await ended, 1).stderr).toMatch(/writing to stdout failed/);
  });

  test('off a terminal nothing is written but plain lines', async () => {
    const run = expectCode(await place.run('run', 'shop'), 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(run.stdout + run.stderr).not.toMatch(/[\u001b\r\u0008]/);
    expect(run.stdout).toMatch(/^✓ shop: .* → .*\n {2}disk:shop\/shop_.*\n$/);
  });

  test('the version, at once', async () => {
    expect(expectCode(await place.run('--version'), 0).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('an unwritable state folder is named, before anything is dumped', async () => {
    await mkdir(place.path('locked'));
    await writeFile(place.path('locked', 'state'), '');
    await chmod(place.path('locked'), 0o500);
    const { child, ended } = place.start(['run', 'shop'], { DBBACKUP_STATE_DIR: place.path('locked', 'state') });
    await once(child, 'close');
    expect(expectCode(await ended, 2).stderr).toMatch(/DBBACKUP_STATE_DIR/);
  });
});
